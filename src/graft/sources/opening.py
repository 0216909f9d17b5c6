"""Opens files by their content: decompressed, decoded, or refused with their format."""

import bz2
import codecs
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

from graft.errors import ConfigError, DataError
from graft.records import show_path
from graft.sources.contents import HEAD, doubt, marked_encoding, other_format, packing
from graft.sources.patterns import is_beside


@contextmanager
def open_text(path: Path, encoding: str) -> Iterator[IO[str]]:
    """Open plain or compressed text. Only a line feed ends a line, or a carriage return
    in a file without line feeds.

    A byte order mark takes precedence over `encoding`. An invalid byte becomes a lone
    surrogate (PEP 383), so that it costs one row only, which
    `graft.data.convert.examples` rejects.

    Raises: ConfigError for an unknown encoding; DataError if the file is not text, or
        its compression or encoding cannot be read.
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
    with io.BufferedReader(io.FileIO(path), HEAD) as file:
        try:
            raw = _unpacked(file, path)
            head = raw.peek(HEAD)
            name = marked_encoding(head) or name
            _check_text(path, head, name)
            returns = b"\r" in head[:-1] and b"\n" not in head
            yield io.TextIOWrapper(
                raw,
                encoding=name,
                errors="surrogateescape",
                newline="\r" if returns else "\n",
            )
        except (EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile) as error:
            raise _damaged(path, error) from error
        except OSError as error:
            if error.errno is not None:  # of the disk or the system
                raise
            raise _damaged(path, error) from error
        except UnicodeError as error:
            raise DataError(
                show_path(path),
                f"is not {name}: {error}",
                fix="set data.encoding to the encoding of the file",
            ) from error


def read_lines(path: Path, encoding: str) -> Iterator[tuple[int, str]]:
    """Number, from 1, and text of each line, without its end."""
    with open_text(path, encoding) as stream:
        for number, line in enumerate(stream, 1):
            yield number, line.rstrip("\r\n")


def check_parquet(path: Path) -> None:
    """Raises: DataError, with the actual format, if a file is not Parquet."""
    with io.BufferedReader(io.FileIO(path), HEAD) as file:
        head = file.peek(HEAD)
    if head.startswith((b"PAR1", b"PARE")):
        return
    packed = packing(head)
    what = f"packed with {packed}" if packed else other_format(head)
    raise DataError(
        show_path(path),
        f"is not Parquet; it is {what or ('something else' if head else 'empty')}",
        expected="a Parquet file, which begins with PAR1",
        fix="set data.format to the format of the file, or fetch or unpack it again",
    )


def _unpacked(file: "io.BufferedReader[Any]", path: Path) -> "io.BufferedReader[Any]":
    """The decompressed bytes, also of nested compression."""
    while packed := packing(file.peek(HEAD)):
        unpack = _UNPACK.get(packed)
        inner = _only_member(file, path) if unpack is None else unpack(file)
        file = io.BufferedReader(cast(io.RawIOBase, inner), HEAD)
    return file


def _zstd(file: IO[bytes]) -> IO[bytes]:
    import pyarrow as pa

    return cast(IO[bytes], pa.CompressedInputStream(file, "zstd"))


_UNPACK: dict[str, Callable[["io.BufferedReader[Any]"], IO[bytes]]] = {
    "gzip": lambda file: cast(IO[bytes], gzip.GzipFile(fileobj=file)),
    "bz2": bz2.open,
    "xz": lzma.open,
    "zstd": _zstd,
}


def _only_member(file: IO[bytes], path: Path) -> IO[bytes]:
    """The only file of a zip archive."""
    archive = zipfile.ZipFile(file)  # pylint: disable=consider-using-with
    names = [
        name
        for name in archive.namelist()
        if not name.endswith("/") and not any(map(is_beside, name.split("/")))
    ]
    if "[Content_Types].xml" in names:
        raise _refused(path, "an Office document, such as XLSX")
    if len(names) != 1:
        raise _refused(path, f"a zip archive of {len(names)} files")
    try:
        return archive.open(names[0])
    except (RuntimeError, NotImplementedError) as error:  # a password, a rare method
        raise _damaged(path, error) from error


def _check_text(path: Path, head: bytes, encoding: str) -> None:
    if other := other_format(head):
        raise _refused(path, other)
    if odd := doubt(head, encoding):
        raise DataError(
            show_path(path),
            f"is not {encoding}: it {odd}",
            expected=f"text in {encoding} (data.encoding)",
            fix="set data.encoding to the encoding of the file, or convert the file",
        )


def _refused(path: Path, what: str) -> DataError:
    return DataError(
        show_path(path),
        f"is {what}",
        expected="text in data.format, plain or packed with gzip, bz2, xz, zstd or zip",
        fix="fetch, unpack or save it as text, or correct data.format",
    )


def _damaged(path: Path, error: Exception) -> DataError:
    return DataError(
        show_path(path),
        f"cannot be unpacked: {error}",
        expected="a complete compressed file",
        fix="fetch or pack the file again",
    )
