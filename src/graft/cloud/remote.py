"""The DVC remote on S3, set from environment variables; credentials are not read."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from graft.errors import ConfigError, StorageError

NAME = "s3"
URL, ENDPOINT, REGION = "GRAFT_S3_URL", "AWS_ENDPOINT_URL_S3", "AWS_REGION"


def set_remote(environment: Mapping[str, str], root: Path) -> str:
    """Set DVC's default remote to the S3 address in the environment; returns it.

    Address, endpoint and region are written to `.dvc/config.local`, which git ignores.
    DVC finds credentials in the environment or in the AWS profile, as boto does.

    Raises: ConfigError if the address is missing or contains credentials; StorageError
        if DVC fails.
    """
    url = environment.get(URL, "")
    if not url.startswith("s3://") or "@" in url:
        raise ConfigError(
            URL,
            "is not set" if not url else "is not an S3 address without credentials",
            expected=f"{URL}=s3://BUCKET/FOLDER in the environment",
            fix="cp .env.example .env, fill it in, then: set -a; source .env; set +a",
        )
    _dvc(root, "remote", "add", "--local", "--default", "--force", NAME, url)
    options = {"endpointurl": ENDPOINT, "region": REGION}
    for option, variable in options.items():
        if value := environment.get(variable):
            _dvc(root, "remote", "modify", "--local", NAME, option, value)
    return url


def _dvc(root: Path, *arguments: str) -> None:
    command = [sys.executable, "-m", "dvc", *arguments]
    done = subprocess.run(
        command, cwd=root, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise StorageError(
            " ".join(["dvc", *arguments]),
            done.stderr.strip() or "failed without a message",
            fix="correct the cause that the message names; see also: dvc remote --help",
        )
