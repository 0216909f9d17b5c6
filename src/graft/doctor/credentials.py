"""Where credentials come from. Of their values, only the presence is read."""

import configparser
import stat
from collections.abc import Mapping
from pathlib import Path

from graft.doctor.findings import Finding

Environment = Mapping[str, str]
AWS = "AWS credentials"


def check_aws(environment: Environment, home: Path, is_needed: bool) -> list[Finding]:
    """The source of credentials for S3, in the order in which boto looks.

    Args:
        home: of the user.
        is_needed: whether a remote or the request log is on S3.
    """
    for source in (_key_pair, _web_identity, _profile, _agent):
        if found := source(environment, home):
            return [found]
    if not is_needed:
        return [Finding(AWS, "ok", "none, and none are needed")]
    text = "none in the environment or a profile; the machine's role may provide them"
    fix = "set AWS_PROFILE or a key pair (.env.example), unless the machine has a role"
    return [Finding(AWS, "warning", text, fix)]


def _key_pair(environment: Environment, _home: Path) -> Finding | None:
    return _pair(AWS, environment, ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"))


def _web_identity(environment: Environment, _home: Path) -> Finding | None:
    token = environment.get("AWS_WEB_IDENTITY_TOKEN_FILE")
    if not token:
        return None
    if Path(token).is_file() and environment.get("AWS_ROLE_ARN"):
        return Finding(AWS, "ok", "a role, by web identity")
    fix = "mount the token, and set AWS_ROLE_ARN to the role that trusts it"
    text = "web identity without its token file, or without AWS_ROLE_ARN"
    return Finding(AWS, "error", text, fix)


def _profile(environment: Environment, home: Path) -> Finding | None:
    keys = environment.get("AWS_SHARED_CREDENTIALS_FILE") or home / ".aws/credentials"
    config = environment.get("AWS_CONFIG_FILE") or home / ".aws/config"
    known = _profiles(Path(keys)) | _profiles(Path(config))
    profile = environment.get("AWS_PROFILE")
    if profile and profile not in known:
        fix = f"aws configure --profile {profile}, or unset AWS_PROFILE"
        return Finding(AWS, "error", f"there is no profile {profile}", fix)
    name = profile or "default"
    return _of_file(AWS, Path(keys), f"from profile {name}") if name in known else None


def _agent(environment: Environment, _home: Path) -> Finding | None:
    names = (f"AWS_CONTAINER_CREDENTIALS_{end}_URI" for end in ("RELATIVE", "FULL"))
    if not any(name in environment for name in names):
        return None
    return Finding(AWS, "ok", "a role, from the container's agent")


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
    names = ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD")
    if found := _pair(subject, environment, names):
        return [found]
    file = home / ".mlflow/credentials"
    if file.is_file():
        return [_of_file(subject, file, f"from {file}")]
    return [Finding(subject, "ok", "none; a server with users needs one")]


def _pair(
    subject: str, environment: Environment, names: tuple[str, str]
) -> Finding | None:
    """A finding about two variables that belong together; None if neither is set."""
    values = [environment.get(name) for name in names]
    if not any(values):
        return None
    if all(values):
        return Finding(subject, "ok", "from the environment")
    fix = f"set both {names[0]} and {names[1]}, or neither"
    return Finding(subject, "error", "the environment has half a pair", fix)


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
