"""Batches of raw rows, with access by column and by row.

Conversion reads whole columns of text, which is fast, and reads one by one only the
rows that need checks.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from graft.errors import DataError
from graft.field_paths import ABSENT
from graft.records import Reject, Row, shorten

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
    """A batch of single rows."""

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
        except UnicodeEncodeError:  # a lone surrogate, or an invalid byte
            return pl.Series([_if_valid(value) for value in values], dtype=pl.String)

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


@dataclass(frozen=True)
class WithConstants:
    """A batch with further columns of one constant value each.

    Raises: DataError if a row has such a column with another value.
    """

    # pylint: disable=assignment-from-no-return # a protocol's methods have no body

    batch: RowBatch
    constants: Mapping[str, str | int | float | bool]

    def __len__(self) -> int:
        return len(self.batch)

    @property
    def num_rows(self) -> int:
        """As of `RowBatch`."""
        return self.batch.num_rows

    def texts(self, path: str, numbers: bool = False) -> "pl.Series":
        """As of `RowBatch`."""
        import polars as pl

        own = self.batch.texts(path, numbers)
        if path not in self.constants:
            return own
        others = own.drop_nulls()
        others = others.filter(others != str(self.constants[path]))
        if len(others):
            raise _two_values(path, others[0])
        text = _text(Row(dict(self.constants), ""), path, numbers)
        return pl.Series([text] * len(self), dtype=pl.String)

    def row(self, at: int) -> Row | Reject:
        """As of `RowBatch`."""
        row = self.batch.row(at)
        if isinstance(row, Reject):
            return row
        for name, value in self.constants.items():
            if row.values.get(name, value) != value:
                raise _two_values(name, row.values[name], row.where)
        return replace(row, values={**row.values, **self.constants})

    def where(self) -> "pl.Series":
        """As of `RowBatch`."""
        return self.batch.where()

    def split(self) -> "pl.Series":
        """As of `RowBatch`."""
        return self.batch.split()


def _two_values(name: str, value: object, where: str = "a row") -> DataError:
    return DataError(
        f"data.constants.{name}",
        f"{where} has a column of that name, with {shorten(value)!r}",
        expected="a name that no column of the source has",
        fix="remove it from constants, or rename it",
    )


def to_batches(rows: Iterable[Row | Reject], size: int = BATCH) -> Iterator[RowList]:
    """A stream of rows → batches of up to `size`."""
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


def _if_valid(value: str | None) -> str | None:
    """The text if it can be encoded in UTF-8, else None."""
    try:
        return value if value is None or value.encode() is not None else None
    except UnicodeEncodeError:
        return None
