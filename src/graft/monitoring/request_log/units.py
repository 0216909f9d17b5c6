"""What tells the clients of a request log apart, without naming them."""

import hashlib
import logging
import os
import secrets
from pathlib import Path

LOGGER = logging.getLogger(__name__)
KEY_FILE = ".unit.key"
"""In the folder of the log; it is never copied to the remote."""
_KEY_BYTES = 32


class UnitDigests:
    """Keyed digests (BLAKE2) of users, keys and addresses.

    Whoever has the rows but not the key cannot find a client by trying names or
    addresses. Servers that write to one folder share its key, so that a client has one
    digest.

    Args:
        folder: of the log; the key is read or made with the first digest.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / KEY_FILE
        self._key: bytes | None = None

    def __call__(self, unit: str) -> str | None:
        """The digest of a client, of 16 hexadecimal digits; None without a key."""
        try:
            key = self._key = self._key or _open_key(self._path)
        except OSError as error:
            LOGGER.debug("the request log: no key of units: %s", error)
            return None
        content = unit.encode("utf-8", "backslashreplace")
        return hashlib.blake2b(content, key=key, digest_size=8).hexdigest()


def _open_key(path: Path) -> bytes:
    """The key; a new one if there is none. Raises: OSError."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f"{path.name}.{secrets.token_hex(6)}")
        try:
            file = os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            with open(file, "wb") as stream:
                stream.write(secrets.token_bytes(_KEY_BYTES))
                stream.flush()
                os.fsync(file)
            os.link(partial, path)  # whole, and never over another server's
        except FileExistsError:
            pass
        finally:
            partial.unlink(missing_ok=True)
    return path.read_bytes()
