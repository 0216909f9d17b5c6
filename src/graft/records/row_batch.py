"""Batches of raw rows: columns of text are read at once, which is fast, and single rows
where they need checks."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Protocol

from graft.field_paths import ABSENT
from graft.records import Reject, Row

if TYPE_CHECKING:
    import polars as pl

BATCH = 16_384
"""Rows of a batch."""


class RowBatch(Protocol):
    """Rows of one file, in order."""

    def __len__(self) -> int:
        """Number of rows, including those that could not be read."""

    @property
    def num_rows(self) -> int:
        """Number of rows of the file; more than `len` if the source has joined rows."""

    def texts(self, path: str, numbers: bool = False) -> "pl.Series":
        """The texts of a column, or at a path in it; null for other values. [rows]

        `numbers`: whether numbers are included, as text."""

    def row(self, at: int) -> Row | Reject:
        """One row, or the reject of a row that could not be read."""

    def where(self) -> "pl.Series":
        """`file:row` of each. [rows]"""

    def split(self) -> "pl.Series":
        """The official split of each, or null. [rows]"""


@dataclass(frozen=True)
class RowList:
    """A batch of single rows; methods as of `RowBatch`."""

    rows: Sequence[Row | Reject]

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def num_rows(self) -> int:
        return sum(row.num_rows if isinstance(row, Row) else 1 for row in self.rows)

    def texts(self, path: str, numbers: bool = False) -> "pl.Series":
        import polars as pl

        values = [_text(row, path, numbers) for row in self.rows]
        try:
            return pl.Series(values, dtype=pl.String)
        except UnicodeEncodeError:  # a lone surrogate, or an invalid byte
            return pl.Series([_if_valid(value) for value in values], dtype=pl.String)

    def row(self, at: int) -> Row | Reject:
        return self.rows[at]

    def where(self) -> "pl.Series":
        import polars as pl

        return pl.Series([row.where for row in self.rows], dtype=pl.String)

    def split(self) -> "pl.Series":
        import polars as pl

        splits = [None if isinstance(row, Reject) else row.split for row in self.rows]
        return pl.Series(splits, dtype=pl.String)


def to_batches(rows: Iterable[Row | Reject], size: int = BATCH) -> Iterator[RowList]:
    """A stream of rows → batches of up to `size`."""
    rows = iter(rows)
    while batch := list(islice(rows, size)):
        yield RowList(batch)


def _text(row: Row | Reject, path: str, numbers: bool) -> str | None:
    value = ABSENT if isinstance(row, Reject) else row.get(path)
    is_text = isinstance(value, str) or numbers and isinstance(value, int | float)
    return str(value) if is_text else None


def _if_valid(value: str | None) -> str | None:
    """The text if it can be encoded in UTF-8, else None."""
    try:
        return value if value is None or value.encode() is not None else None
    except UnicodeEncodeError:
        return None
