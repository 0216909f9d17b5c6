"""Raw rows side by side: columns of text where a source has them, rows where it must.

A reader gives batches. Who converts them asks for whole columns of text, which is
fast, and only for the rows that are not plainly in order one by one.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from graft.records import ABSENT, Reject, Row

if TYPE_CHECKING:
    import polars as pl

BATCH = 16_384
"""Rows of a batch."""


class RowBatch(Protocol):
    """Rows of one file, in order."""

    def __len__(self) -> int:
        """Rows, with those that could not be read."""

    @property
    def num_rows(self) -> int:
        """Rows of the file; more than `len` where the source has joined them."""

    def texts(self, path: str, numbers: bool = False) -> "pl.Series":
        """A column, or a place in it; null where there is none or no text. [rows]

        `numbers`: those are told as text too."""

    def row(self, at: int) -> Row | Reject:
        """One row, or why it could not be read."""

    def where(self) -> "pl.Series":
        """`file:row` of each. [rows]"""

    def split(self) -> "pl.Series":
        """The official split of each, or null. [rows]"""


@dataclass(frozen=True)
class RowList:
    """Rows as a reader gives them one by one."""

    rows: Sequence[Row | Reject]

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def num_rows(self) -> int:
        """As of `RowBatch`."""
        return sum(row.num_rows if isinstance(row, Row) else 1 for row in self.rows)

    def texts(self, path: str, numbers: bool = False) -> "pl.Series":
        """As of `RowBatch`."""
        import polars as pl

        values = [_text(row, path, numbers) for row in self.rows]
        try:
            return pl.Series(values, dtype=pl.String)
        except UnicodeEncodeError:  # half a character, or a byte of another encoding
            return pl.Series([_whole(value) for value in values], dtype=pl.String)

    def row(self, at: int) -> Row | Reject:
        """As of `RowBatch`."""
        return self.rows[at]

    def where(self) -> "pl.Series":
        """As of `RowBatch`."""
        import polars as pl

        return pl.Series([row.where for row in self.rows], dtype=pl.String)

    def split(self) -> "pl.Series":
        """As of `RowBatch`."""
        import polars as pl

        splits = [None if isinstance(row, Reject) else row.split for row in self.rows]
        return pl.Series(splits, dtype=pl.String)


def to_batches(rows: Iterable[Row | Reject], size: int = BATCH) -> Iterator[RowList]:
    """Rows as they come → batches of up to `size`."""
    batch: list[Row | Reject] = []
    for row in rows:
        batch.append(row)
        if len(batch) == size:
            yield RowList(batch)
            batch = []
    if batch:
        yield RowList(batch)


def _text(row: Row | Reject, path: str, numbers: bool) -> str | None:
    value = ABSENT if isinstance(row, Reject) else row.get(path)
    if numbers and isinstance(value, int | float):
        return str(value)
    return value if isinstance(value, str) else None


def _whole(value: str | None) -> str | None:
    """The text, if UTF-8 can write it."""
    try:
        return value if value is None or value.encode() is not None else None
    except UnicodeEncodeError:
        return None
