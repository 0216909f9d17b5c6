"""The files of a source: found before any is read, opened whatever packed them."""

import bz2
import codecs
import gzip
import io
import lzma
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from graft.config import DataConfig
from graft.errors import ConfigError, DataError
from graft.records import Reject, shorten

_UNPACK: dict[str, Callable[[Path], IO[bytes]]] = {
    ".gz": lambda path: cast(IO[bytes], gzip.open(path)),
    ".bz2": bz2.open,
    ".xz": lzma.open,
}


@dataclass(frozen=True)
class Part:
    """What is read at once: one file, or one file for each column, side by side."""

    paths: dict[str, Path]
    root: Path
    split: str | None

    @property
    def path(self) -> Path:
        """The only file, or the first column's."""
        return next(iter(self.paths.values()))

    def where(self, row: int | None = None, column: str | None = None) -> str:
        """`file:row`; relative to an absolute root, so that reports can be compared."""
        path = self.paths[column] if column else self.path
        shown = path.relative_to(self.root) if self.root.is_absolute() else path
        return str(shown) if row is None else f"{shown}:{row}"


def reject(where: str, reason: str, value: object, expected: str, fix: str) -> Reject:
    """A row put aside while reading."""
    return Reject(where, "convert", reason, shorten(value), expected, fix)


def find_parts(data: DataConfig) -> list[Part]:
    """All files that `data.files` names, in the order of the splits and then by name.

    Raises: DataError if one is missing, or columns have unequal numbers of files.
    """
    parts = []
    for split, files in data.files.items():
        columns = {"": files} if isinstance(files, str) else files
        found = {name: _find(data.root, pattern) for name, pattern in columns.items()}
        counts = {name: len(paths) for name, paths in found.items()}
        if len(set(counts.values())) > 1:
            raise DataError(
                f"data.files.{split}",
                f"the columns have unequal numbers of files: {counts}",
                expected="as many files for one column as for the other",
                fix="correct the patterns, or add the missing file",
            )
        official = None if split == "all" else split
        for paths in zip(*found.values(), strict=True):
            sides = dict(zip(found, paths, strict=True))
            parts.append(Part(sides, data.root, official))
    return parts


def _find(root: Path, pattern: str) -> list[Path]:
    exact = root / pattern  # a name may hold [ or *, so the plain reading goes first
    found = [exact] if exact.is_file() else sorted(root.glob(pattern))
    if files := [path for path in found if path.is_file()]:
        return files
    there = sorted(path.name for path in root.iterdir()) if root.is_dir() else []
    raise DataError(
        str(exact),
        "no such file" if root.is_dir() else f"no such folder: {root}",
        expected=(
            f"one of {shorten(', '.join(there))}" if there else "the source's files"
        ),
        fix="correct data.root or data.files in configs/data, or put it there",
    )


def _open(path: Path) -> IO[bytes]:
    return path.open("rb")


@contextmanager
def open_text(path: Path, encoding: str) -> Iterator[IO[str]]:
    """Open text, unpacking .gz, .bz2 and .xz. Only a line feed ends a line.

    A byte that is not of the encoding becomes a lone surrogate (PEP 383), so that one
    bad byte costs one row; `graft.data.examples` puts that row aside.

    Raises: ConfigError for an unknown encoding; DataError if the file is packed or
    encoded in another way than it says.
    """
    try:
        "".encode(encoding)
        name = codecs.lookup(encoding).name
    except LookupError:
        raise ConfigError(
            "data.encoding",
            f"no text encoding is called {encoding!r}",
            expected="such as utf-8, latin-1, cp1252, utf-16",
            fix="correct it in the file of configs/data, then: graft params",
        ) from None
    try:
        with _UNPACK.get(path.suffix, _open)(path) as raw:
            yield io.TextIOWrapper(
                raw,
                encoding="utf-8-sig" if name == "utf-8" else name,
                errors="surrogateescape",
                newline="\n",
            )
    except (EOFError, gzip.BadGzipFile, zlib.error, lzma.LZMAError) as error:
        raise DataError(
            str(path),
            f"cannot be unpacked: {error}",
            expected=f"a whole {path.suffix} file",
            fix="fetch or pack the file again",
        ) from error
    except UnicodeError as error:
        raise DataError(
            str(path),
            f"is not {encoding}: {error}",
            fix="set data.encoding to what the file is written in",
        ) from error


def read_lines(path: Path, encoding: str) -> Iterator[tuple[int, str]]:
    """Number, from 1, and text of each line, without its end."""
    with open_text(path, encoding) as stream:
        for number, line in enumerate(stream, 1):
            yield number, line.rstrip("\r\n")
