"""Where credentials come from. No value is read further than to see that it is there."""

import configparser
import stat
from collections.abc import Mapping
from pathlib import Path

from graft.doctor.findings import Finding

Environment = Mapping[str, str]


def check_aws(environment: Environment, home: Path, is_needed: bool) -> list[Finding]:
    """The source of credentials for S3, in the order in which boto looks.

    Args:
        home: of the user.
        is_needed: whether a remote or the request log is on S3.
    """
    subject = "AWS credentials"
    pair = [
        environment.get(f"AWS_{name}")
        for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY")
    ]
    if any(pair):
        if not all(pair):
            fix = "set both AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or neither"
            return [Finding(subject, "error", "the environment has half a pair", fix)]
        return [Finding(subject, "ok", "from the environment")]
    if token := environment.get("AWS_WEB_IDENTITY_TOKEN_FILE"):
        if not Path(token).is_file() or not environment.get("AWS_ROLE_ARN"):
            fix = "mount the token, and set AWS_ROLE_ARN to the role that trusts it"
            text = "web identity without its token file, or without AWS_ROLE_ARN"
            return [Finding(subject, "error", text, fix)]
        return [Finding(subject, "ok", "a role, by web identity")]
    profile = environment.get("AWS_PROFILE")
    files = [
        Path(
            environment.get("AWS_SHARED_CREDENTIALS_FILE") or home / ".aws/credentials"
        ),
        Path(environment.get("AWS_CONFIG_FILE") or home / ".aws/config"),
    ]
    known = {name for file in files for name in _profiles(file)}
    if profile and profile not in known:
        fix = f"aws configure --profile {profile}, or unset AWS_PROFILE"
        return [Finding(subject, "error", f"there is no profile {profile}", fix)]
    if (name := profile or "default") in known:
        return [_of_file(subject, files[0], f"from the profile {name}")]
    if any(
        f"AWS_CONTAINER_CREDENTIALS_{end}_URI" in environment
        for end in ("RELATIVE", "FULL")
    ):
        return [Finding(subject, "ok", "a role, from the container's agent")]
    text = (
        "none in the environment or a profile; a role of the machine may provide them"
    )
    if is_needed:
        fix = "set AWS_PROFILE or a key pair (.env.example), unless this machine has a role"
        return [Finding(subject, "warning", text, fix)]
    return [Finding(subject, "ok", "none, and none are needed")]


def check_hub(environment: Environment, home: Path, is_needed: bool) -> list[Finding]:
    """The source of the Hub's token.

    Args:
        home: of the user.
        is_needed: whether the model or the data are on the Hub.
    """
    subject = "Hub token"
    if environment.get("HF_TOKEN"):
        return [Finding(subject, "ok", "from the environment")]
    cache = Path(environment.get("XDG_CACHE_HOME") or home / ".cache")
    folder = Path(environment.get("HF_HOME") or cache / "huggingface")
    file = Path(environment.get("HF_TOKEN_PATH") or folder / "token")
    if file.is_file():
        return [_of_file(subject, file, f"from {file}")]
    text = "none; gated models need one" if is_needed else "none, and none is needed"
    return [Finding(subject, "ok", text)]


def check_mlflow_user(environment: Environment, home: Path) -> list[Finding]:
    """The source of the user for MLflow's server."""
    subject = "MLflow user"
    if environment.get("MLFLOW_TRACKING_TOKEN"):
        return [Finding(subject, "ok", "a token, from the environment")]
    pair = [
        environment.get(f"MLFLOW_TRACKING_{name}") for name in ("USERNAME", "PASSWORD")
    ]
    if any(pair):
        if not all(pair):
            fix = "set both MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"
            return [Finding(subject, "error", "the environment has half a pair", fix)]
        return [Finding(subject, "ok", "from the environment")]
    file = home / ".mlflow/credentials"
    if file.is_file():
        return [_of_file(subject, file, f"from {file}")]
    return [Finding(subject, "ok", "none; a server with users needs one")]


def _of_file(subject: str, file: Path, text: str) -> Finding:
    """A finding about a file of credentials, which only its owner should read."""
    if file.is_file() and file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        problem = f"{text}; others may read {file}"
        return Finding(subject, "warning", problem, f"chmod 600 {file}")
    return Finding(subject, "ok", text)


def _profiles(file: Path) -> set[str]:
    parser = configparser.RawConfigParser()
    try:
        parser.read(file, "utf-8")
    except (configparser.Error, OSError, UnicodeDecodeError):
        return set()
    return {name.removeprefix("profile ").strip() for name in parser.sections()}
