"""DVC's remotes: whether each can be reached with the credentials of this machine."""

import os
import socket
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from graft.config.secrets import without_secret
from graft.doctor.findings import Finding

SECRETS = frozenset(
    "access_key_id secret_access_key session_token password connection_string "
    "account_key sas_token client_secret gdrive_client_secret".split()
)
"""Options of remotes that git must not keep. Source: DVC's user guide, remotes."""
PLUGINS = {
    "gs": ("dvc_gs", "gs"),
    "azure": ("dvc_azure", "azure"),
    "ssh": ("dvc_ssh", "ssh"),
    "oss": ("dvc_oss", "oss"),
    "gdrive": ("dvc_gdrive", "gdrive"),
    "hdfs": ("dvc_hdfs", "hdfs"),
}
"""Scheme of an address → module that DVC needs, and the extra that installs it."""
_TIMEOUT_S = 3

Options = Mapping[str, str]
Reach = Callable[[Options], str]
"""Why a remote cannot be reached; empty if it can. Raises: OSError, also if not."""


def check_remote(
    name: str, options: Options, is_default: bool, reach: Reach
) -> Finding:
    """One remote."""
    subject = f"remote {name}" + " (default)" * is_default
    url = without_secret(options.get("url", ""))
    scheme = urlsplit(url).scheme
    if scheme in PLUGINS and find_spec(PLUGINS[scheme][0]) is None:
        fix = f"uv pip install 'dvc[{PLUGINS[scheme][1]}]'"
        return Finding(subject, "error", f"{url}: DVC's plugin is missing", fix)
    try:
        problem = reach(options)
    except OSError as error:
        problem = str(error) or type(error).__name__
    if problem:
        fix = "correct address, endpoint and credentials: graft remote, .env.example"
        return Finding(subject, "error", without_secret(f"{url}: {problem}"), fix)
    return Finding(subject, "ok", url)


def check_remotes(
    default: str, remotes: Mapping[str, Options], reach: Reach
) -> list[Finding]:
    """All remotes; a warning if there is no default one."""
    found = [
        check_remote(name, options, name == default, reach)
        for name, options in remotes.items()
    ]
    if default and default not in remotes:
        fix = "dvc remote default NAME"
        text = f"the default remote {default} has no address"
        return [*found, Finding("remotes", "error", text, fix)]
    if not default:
        text = "no default remote: data and adapters stay on this machine"
        fix = "set GRAFT_S3_URL (.env.example), then: graft remote"
        return [*found, Finding("remotes", "warning", text, fix)]
    return found


def check_committed(text: str, file: str) -> list[Finding]:
    """Credentials in the configuration of DVC that git keeps."""
    names = {
        line.partition("=")[0].strip() for line in text.splitlines() if "=" in line
    }
    if found := sorted(names & SECRETS):
        fix = "dvc remote modify --local …, remove them there, and replace the keys"
        problem = f"{file} contains {', '.join(found)}, and git keeps it"
        return [Finding("secrets", "error", problem, fix)]
    return [Finding("secrets", "ok", f"none in {file}")]


def reach_remote(options: Options) -> str:
    """Make one request to a remote, as DVC would. Google's, Azure's and others' are
    not asked: only their plugin is checked."""
    url = urlsplit(options.get("url", ""))
    if url.scheme == "s3":
        return _reach_s3(url.netloc, options)
    if url.scheme in ("http", "https") and url.hostname:
        port = url.port or {"http": 80, "https": 443}[url.scheme]
        with socket.create_connection((url.hostname, port), _TIMEOUT_S):
            return ""
    if url.scheme in ("", "file"):
        folder = Path(".dvc", url.path) if url.path[:1] != "/" else Path(url.path)
        there = next(one for one in (folder, *folder.parents) if one.exists())
        return "" if os.access(there, os.W_OK) else f"{there} is not writable"
    return ""


def _reach_s3(bucket: str, options: Options) -> str:
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    config = Config(
        connect_timeout=_TIMEOUT_S, read_timeout=_TIMEOUT_S, retries={"max_attempts": 0}
    )
    try:
        session = boto3.Session(
            options.get("access_key_id"),
            options.get("secret_access_key"),
            options.get("session_token"),
            options.get("region"),
            profile_name=options.get("profile"),
        )
        client = session.client(
            "s3", endpoint_url=options.get("endpointurl"), config=config
        )
        client.head_bucket(Bucket=bucket)
    except ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        known = {403: "access is refused", 404: f"there is no bucket {bucket}"}
        return known.get(status, f"status {status}")
    except BotoCoreError as error:
        return str(error)
    return ""
