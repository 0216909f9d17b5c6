"""The rows of an input file, read with the readers of data sources."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graft.config import DataConfig
from graft.errors import DataError
from graft.io import storage_error
from graft.records import Reject, Row
from graft.sources import READERS
from graft.sources.files import SourcePart
from graft.sources.opening import check_parquet

if TYPE_CHECKING:
    import pyarrow as pa

FORMATS = {
    ".jsonl": ("jsonl", ","),
    ".ndjson": ("jsonl", ","),
    ".csv": ("csv", ","),
    ".tsv": ("csv", "\t"),
    ".parquet": ("parquet", ","),
}
"""Suffix → format and delimiter."""
PACKINGS = (".gz", ".bz2", ".xz", ".zst", ".zip")
_DATA: Mapping[str, Any] = {
    **dict.fromkeys(DataConfig.model_fields),
    "fields": {},
    "ranges": {},
    "constants": {},
    "quote": '"',
    "encoding": "utf-8",
}
"""A source of the pipeline whose rows are read as they are."""
MOST_COLUMNS = 1000
"""Of JSON Lines, whose objects may have any keys."""


def format_of(path: Path) -> tuple[str, str]:
    """Format and delimiter by the suffix of a file.

    Raises: DataError for another suffix.
    """
    if found := FORMATS.get(path.suffix.lower()):
        return found
    raise DataError(
        str(path),
        f"the suffix {path.suffix or '(none)'} is of no known format",
        expected=f"one of {', '.join(FORMATS)}",
        fix="rename the file, or convert it",
    )


@dataclass(frozen=True)
class Contents:
    """What a file contains.

    Args:
        num_rows: rows, unreadable ones included.
        columns: in the order in which they first occur.
        is_openai: whether it has OpenAI's batch format.
    """

    num_rows: int
    columns: Sequence[str]
    is_openai: bool


@dataclass(frozen=True)
class Source:
    """A file of rows, plain or compressed.

    Raises: DataError for an unknown suffix, or if there is no such file.
    """

    path: Path

    def __post_init__(self) -> None:
        self.format  # pylint: disable=pointless-statement  # checks the suffix
        if not self.path.is_file():
            raise storage_error(self.path, FileNotFoundError())

    @property
    def format(self) -> str:
        """jsonl, csv or parquet."""
        return self._format[0]

    @property
    def _format(self) -> tuple[str, str]:
        is_packed = self.path.suffix.lower() in PACKINGS
        return format_of(self.path.with_suffix("") if is_packed else self.path)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the file's bytes; 16 hexadecimal digits."""
        with self.path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()[:16]

    def rows(self, columns: Sequence[str] | None = None) -> Iterator[Row | Reject]:
        """Each row; a reject in place of one that cannot be read.

        Args:
            columns: the only ones that are read of a Parquet file; None: all.
        Raises: DataError if the file is not in its format.
        """
        name, delimiter = self._format
        if name == "parquet" and columns is None:
            columns = self.schema.names
        names = list(columns or ())
        data = {**_DATA, "delimiter": delimiter, "required": names}
        # Not validated: columns may have names that paths cannot have.
        config = DataConfig.model_construct(None, **data)
        part = SourcePart({"": self.path}, self.path.parent, None)
        return READERS[name](part, config)

    @property
    def schema(self) -> "pa.Schema":
        """The columns of a Parquet file. Raises: DataError if it is none."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        check_parquet(self.path)
        try:
            return pq.read_schema(self.path)
        except (pa.ArrowException, OSError) as error:
            raise DataError(
                str(self.path),
                f"cannot be read as Parquet: {str(error).splitlines()[0]}",
                expected="a complete Parquet file",
                fix="fetch or write the file again",
            ) from error


def scan(source: Source) -> Contents:
    """Read a file once. Raises: DataError if it cannot be read."""
    if source.format == "parquet":
        import pyarrow.parquet as pq

        names = source.schema.names
        return Contents(pq.read_metadata(source.path).num_rows, names, False)
    number, columns, is_openai = 0, dict[str, None](), None
    for number, row in enumerate(source.rows(), 1):
        if isinstance(row, Reject):
            continue
        if is_openai is None:
            is_openai = {"custom_id", "body"} <= row.values.keys()
        columns |= dict.fromkeys(row.values)
        if len(columns) > MOST_COLUMNS:
            raise DataError(
                row.where,
                f"more than {MOST_COLUMNS} different keys up to this row",
                expected="objects with the same keys",
                fix="put what varies into one key, as an object",
            )
    return Contents(number, list(columns), bool(is_openai))
