"""The DVC remote on S3, set from environment variables; credentials are not read."""

from collections.abc import Mapping
from pathlib import Path

from graft.errors import ConfigError
from graft.process.programs import run_program

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
    modes = "--local", "--default", "--force"
    run_program("dvc", "remote", "add", *modes, NAME, url, folder=root)
    options = {"endpointurl": ENDPOINT, "region": REGION}
    for option, variable in options.items():
        if value := environment.get(variable):
            change = "--local", NAME, option, value
            run_program("dvc", "remote", "modify", *change, folder=root)
    return url
