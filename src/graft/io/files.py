"""Atomic writes; JSON and text files; digests.

Output appears under its name only when it is complete. A stage that is killed leaves a
hidden `.NAME.partial` beside it, which the next run removes.
"""

import errno
import hashlib
import json
import shutil
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from graft.errors import DataError, GraftError, StorageError


def storage_error(where: Path, error: OSError) -> GraftError:
    """The GraftError for an error of the operating system on a path."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StorageError(
            str(where),
            "the disk is full; no partial output was left under this name",
            expected="free space for the outputs of this stage",
            fix="free some space (`dvc gc -w` removes unused cache), then run again",
        )
    if isinstance(error, FileNotFoundError):
        return DataError(
            str(where),
            "no such file or folder",
            expected="an existing path",
            fix="correct the path, or run the stage that makes it: dvc repro",
        )
    return StorageError(
        str(where), error.strerror or str(error), fix="check the path and permissions"
    )


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Yield a temporary path; on success it replaces `path`.

    Raises: StorageError if the disk is full or the path cannot be written.
    """
    partial = path.with_name(f".{path.name}.partial")
    former = path.with_name(f".{path.name}.former.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        remove(partial)
        remove(former)
        yield partial
        if path.is_dir():  # renamed, which is atomic; its files are removed afterwards
            path.replace(former)
        partial.replace(path)
    except OSError as error:
        raise storage_error(path, error) from error
    finally:
        remove(partial)
        remove(former)


def remove(path: Path) -> None:
    """Remove a file or a folder, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def write_json(path: Path, value: Any) -> None:
    """Write JSON, dataclasses as objects. Equal values give equal bytes."""
    options: dict[str, Any] = {"indent": 2, "sort_keys": True, "ensure_ascii": False}
    write_text(path, json.dumps(value, default=asdict, **options) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write text as UTF-8, atomically."""
    with atomic(path) as partial:
        partial.write_text(text, encoding="utf-8", newline="\n")


def read_json(path: Path) -> Any:
    """Read JSON. Raises: DataError with the invalid line; StorageError."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise storage_error(path, error) from error
    except ValueError as error:
        raise DataError(
            str(path), f"not valid JSON: {error}", fix="restore or rebuild this file"
        ) from error


def digest(value: Mapping[str, Any] | str | bytes) -> str:
    """SHA-256 of bytes, of text as UTF-8, or of a mapping as sorted JSON; 16 hex."""
    if isinstance(value, Mapping):
        value = json.dumps(value, sort_keys=True, ensure_ascii=False)
    data = value.encode() if isinstance(value, str) else value
    return hashlib.sha256(data).hexdigest()[:16]


def digest_files(folder: Path, patterns: Iterable[str] = ("*",)) -> str:
    """SHA-256 over names and bytes of a folder's files: 16 hex digits."""
    total = hashlib.sha256()
    found = {file for pattern in patterns for file in folder.glob(pattern)}
    files = sorted(file for file in found if file.is_file())
    with ThreadPoolExecutor() as pool:
        for file, content in zip(files, pool.map(_digest_bytes, files), strict=True):
            total.update(file.name.encode() + b"\0")
            total.update(content)
    return total.hexdigest()[:16]


def _digest_bytes(path: Path) -> bytes:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").digest()
