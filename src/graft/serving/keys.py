"""API keys: only their SHA-256 digests are stored, each with a name."""

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from pathlib import Path

from graft.errors import ConfigError
from graft.serving.errors import ApiError

FIX = (
    'write {"NAME": "SHA-256 of the key in hexadecimal"}; a digest is printed by: '
    "printf %s KEY | sha256sum"
)


class ApiKeys:
    """The keys of a file, which is read again when it changes: rotation without a
    restart.

    Args:
        path: a JSON object of digests by name; None: every client is accepted.
    Raises: ConfigError if the file cannot be used.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._read_at: tuple[int, int] | None = None
        self._digests: Mapping[str, str] = {}
        self._refresh()

    def name_of(self, authorization: str | None) -> str | None:
        """The name of the key in a header `Bearer KEY`; None if no keys are needed.

        Raises: ApiError 401 if the header is missing or no key matches.
        """
        if self._path is None:
            return None
        self._refresh()
        scheme, _, key = (authorization or "").partition(" ")
        found = None
        digest = hashlib.sha256(key.strip().encode()).hexdigest()
        for name, known in self._digests.items():  # all, so that the time tells nothing
            if hmac.compare_digest(digest, known):
                found = name
        if scheme.lower() != "bearer" or found is None:
            raise ApiError(
                401,
                "no valid API key: send the header Authorization: Bearer KEY",
                code="invalid_api_key",
            )
        return found

    def _refresh(self) -> None:
        if self._path is None:
            return
        try:
            state = self._path.stat()
            if self._read_at == (state.st_mtime_ns, state.st_ino):
                return
            self._digests = read_digests(self._path)
            self._read_at = (state.st_mtime_ns, state.st_ino)
        except (ConfigError, OSError):
            if self._read_at is None:  # later, the keys that were read stay valid
                raise


def read_digests(path: Path) -> dict[str, str]:
    """Digests by name. Raises: ConfigError if the file has another form."""
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(
            str(path), f"no JSON file of API keys: {error}", fix=FIX
        ) from error
    is_right = isinstance(found, dict) and all(
        isinstance(digest, str) and re.fullmatch("[0-9a-f]{64}", digest)
        for digest in found.values()
    )
    if not is_right or not found:
        raise ConfigError(
            str(path),
            "not an object of SHA-256 digests by name",
            expected="64 hexadecimal digits for each name, at least one name",
            fix=FIX,
        )
    return dict(found)
