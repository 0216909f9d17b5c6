"""The files that match a pattern.

A name that exists exactly as written matches, whatever characters it has. Otherwise
`*`, `?` and `[…]` match within a name, and `**` matches folders. Case and the Unicode
form of accents are ignored; files that editors, systems and DVC create beside data are
skipped; links are followed.
"""

import errno
import os
import stat
import unicodedata
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from graft.errors import DataError
from graft.records import shorten, show_path

_BESIDE = tuple("""
    .* *~ ~$* #*# *.bak *.orig *.rej *.sw[op] *.tmp *.temp
    *.part *.partial *.filepart *.crdownload *.download *.icloud
    thumbs.db desktop.ini __macosx __pycache__
    _success _committed_* _started_* *.md5 *.sha1 *.sha256 *.sha512 *.dvc
    """.split())
"""Copies and metadata files of editors, downloads, systems, Spark, checksums and DVC.
"""


def find_files(root: Path, pattern: str) -> list[Path]:
    """The files under `root`, sorted by the parts of their paths.

    Raises: DataError if there is none, or if a match is a folder with a file's name, a
        broken link, or not a regular file.
    """
    found = sorted(set(_walk(root, Path(pattern).parts)), key=lambda path: path.parts)
    is_literal = not any(sign in pattern for sign in "*?[")
    named = is_literal or "." in Path(pattern).name
    files = [path for path in found if _is_file(path, named)]
    if not files:
        raise _nothing(root, pattern)
    return files


def _walk(folder: Path, parts: tuple[str, ...]) -> Iterator[Path]:
    if not parts:
        yield folder
        return
    part, *rest = parts
    if os.path.lexists(folder / part):
        yield from _walk(folder / part, tuple(rest))
    elif part == "**":
        for inner in _folders(folder, frozenset()):
            yield from _walk(inner, tuple(rest) or ("*",))
    else:
        for name in _names(folder, hidden=part.startswith(".")):
            if fnmatchcase(_plain(name), _plain(part)):
                yield from _walk(folder / name, tuple(rest))


def _folders(folder: Path, above: frozenset[Path]) -> Iterator[Path]:
    """The folder and all below it; a link to a folder above is not followed."""
    here = folder.resolve()
    if here in above:
        return
    yield folder
    for name in _names(folder, hidden=False):
        if (folder / name).is_dir():
            yield from _folders(folder / name, above | {here})


def _names(folder: Path, hidden: bool) -> list[str]:
    """Names in a folder, without files that programs create beside data."""
    if not folder.is_dir():
        return []
    return [
        name
        for name in os.listdir(folder)
        if not is_beside(name[hidden and name.startswith(".") :])
    ]


def is_beside(name: str) -> bool:
    """Whether it is the name of a copy or a metadata file, or hidden."""
    return any(fnmatchcase(name.lower(), beside) for beside in _BESIDE)


def _plain(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _is_file(path: Path, named: bool) -> bool:
    """Whether it is a file; a folder that matches a bare `*` is skipped.

    Raises: DataError if it cannot be read, since skipping it would lose rows silently.
    """
    try:
        mode = path.stat().st_mode
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
            raise
        raise _unreadable(path, "a broken link") from error
    if stat.S_ISDIR(mode) and named:
        raise _unreadable(path, "a folder, not a file")
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise _unreadable(path, "a pipe or a device, not a file")
    return stat.S_ISREG(mode)


def _unreadable(path: Path, what: str) -> DataError:
    return DataError(
        show_path(path),
        f"is {what}",
        expected="a regular file, or a link to one",
        fix="put the file there, or write a pattern in data.files that matches files "
        "only, such as folder/*",
    )


def _nothing(root: Path, pattern: str) -> DataError:
    there = sorted(path.name for path in root.iterdir()) if root.is_dir() else []
    return DataError(
        show_path(root / pattern),
        "no such file" if root.is_dir() else f"no such folder: {show_path(root)}",
        expected=(
            f"one of {shorten(', '.join(there))}" if there else "the source's files"
        ),
        fix="correct data.root or data.files in configs/data, or add the file",
    )
