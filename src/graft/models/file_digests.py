"""Digests of each file of an adapter, so that a changed file is named."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from graft.errors import ModelError


def file_digests(folder: Path) -> dict[str, str]:
    """Name → SHA-256 of each file in a folder, in hexadecimal digits."""
    found = {}
    for file in sorted(one for one in folder.rglob("*") if one.is_file()):
        with file.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        found[file.relative_to(folder).as_posix()] = digest
    return found


def check_files(folder: Path, recorded: Mapping[str, str]) -> None:
    """Compare a folder's files with those that were registered.

    Raises: ModelError with the first file that was changed, removed or added.
    """
    current = file_digests(folder)
    for name in sorted(current.keys() | recorded.keys()):
        was, now = recorded.get(name), current.get(name)
        if was == now:
            continue
        problem = (
            "is missing, but was registered"
            if now is None
            else (
                "was added after registration"
                if was is None
                else f"was changed: SHA-256 {now[:16]}…, registered with {was[:16]}…"
            )
        )
        raise ModelError(
            str(folder / name),
            problem,
            expected="the files that were evaluated and registered",
            fix="fetch the version again from the registry, or register it again",
        )
