"""Where copies of checkpoints go. The environment says it, not the parameters: it is no
part of what is trained."""

from collections.abc import Mapping

from graft.cloud.remote_folder import RemoteFolder
from graft.config.secrets import without_secret
from graft.errors import ConfigError

VARIABLE = "GRAFT_CHECKPOINT_REMOTE"


def find_checkpoint_remote(environment: Mapping[str, str]) -> RemoteFolder | None:
    """The folder for copies of checkpoints; None: there are none.

    Raises: ConfigError if the address is not one, or contains credentials.
    """
    address = environment.get(VARIABLE, "")
    if not address:
        return None
    scheme, separator, place = address.partition("://")
    if not separator or not scheme or not place.strip("/"):
        raise ConfigError(
            VARIABLE,
            f"is {without_secret(address)!r}",
            expected="an address such as s3://BUCKET/FOLDER",
            fix="correct it, or remove it to keep checkpoints on this machine only",
        )
    if without_secret(address) != address or "@" in place:
        raise ConfigError(
            VARIABLE,
            "contains credentials",
            expected="an address without them, such as s3://BUCKET/FOLDER",
            fix="set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        )
    return RemoteFolder(address)
