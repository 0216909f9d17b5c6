"""Parquet files, as columns."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from graft.config import DataConfig
from graft.errors import DataError
from graft.records import Reject, Row
from graft.row_batch import BATCH, RowBatch, RowList
from graft.sources.files import Part, reject

if TYPE_CHECKING:
    import polars as pl

_READ = {"pre_buffer": False, "page_checksum_verification": True}


@dataclass(frozen=True)
class TableRows:
    """Rows of a table whose text is all valid; the first is row `first` of the part."""

    table: pa.Table
    part: Part
    first: int

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @property
    def num_rows(self) -> int:
        """As of `RowBatch`."""
        return len(self)

    def texts(self, path: str, numbers: bool = False) -> "pl.Series":
        """As of `RowBatch`. A float's text is left to the row: Python writes it."""
        import polars as pl

        column = _at(self.table, path)
        text = column is not None and _is_text(column.type)
        count = numbers and column is not None and pa.types.is_integer(column.type)
        if column is None or not (text or count):
            return pl.Series([None] * len(self), dtype=pl.String)
        found = pl.from_arrow(column)
        assert isinstance(found, pl.Series)
        return found.cast(pl.String)

    def row(self, at: int) -> Row | Reject:
        """As of `RowBatch`."""
        values = self.table.slice(at, 1).to_pylist()[0]
        return Row(values, self.part.where(self.first + at), self.part.split)

    def where(self) -> "pl.Series":
        """As of `RowBatch`."""
        import polars as pl

        number = pl.int_range(self.first, self.first + len(self), eager=True)
        return pl.select(
            pl.format("{}:{}", pl.lit(self.part.where()), number)
        ).to_series()

    def split(self) -> "pl.Series":
        """As of `RowBatch`."""
        import polars as pl

        return pl.Series([self.part.split] * len(self), dtype=pl.String)


def read_tables(part: Part, data: DataConfig) -> Iterator[RowBatch]:
    """Batches of a Parquet file, only the columns that `data` names; row n from 1.

    Raises: DataError if the file is not whole.
    """
    number = 1
    try:
        with pq.ParquetFile(part.path, **_READ) as file:
            wanted = _outer_columns(data)
            names = [name for name in file.schema_arrow.names if name in wanted]
            if not names:  # none is there; the caller says so, and needs the names
                names = file.schema_arrow.names
            for batch in file.iter_batches(BATCH, columns=names):
                yield _to_rows(batch, part, number)
                number += batch.num_rows
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        raise DataError(
            part.where(),
            f"cannot be read as Parquet: {str(error).splitlines()[0]}",
            expected="a whole Parquet file",
            fix="fetch or write the file again, or correct data.format",
        ) from error


def read_parquet(part: Part, data: DataConfig) -> Iterator[Row | Reject]:
    """The rows of `read_tables`, one by one."""
    for batch in read_tables(part, data):
        yield from (batch.row(at) for at in range(len(batch)))


def first_rows(batches: Iterable[RowBatch], limit: int | None) -> Iterator[RowBatch]:
    """Batches up to so many rows in all; null: all."""
    left = limit
    for batch in batches:
        if left is not None and len(batch) >= left:
            yield RowList([batch.row(at) for at in range(left)])
            return
        left = None if left is None else left - len(batch)
        yield batch


def _outer_columns(data: DataConfig) -> set[str]:
    """Columns that `data` names, whole or by a path such as `translation.en`."""
    paths = [*data.fields.values(), *data.required, *data.ranges]
    whole = {path for path in (*paths, data.group, data.stratum, data.split) if path}
    return whole | {path.partition(".")[0] for path in whole}


def _to_rows(batch: pa.RecordBatch, part: Part, first: int) -> RowBatch:
    """Columns; or rows one by one where a text is not UTF-8."""
    try:
        batch.validate(full=True)
    except pa.ArrowInvalid:
        return RowList(
            [_row(batch.slice(at, 1), part, first + at) for at in range(len(batch))]
        )
    return TableRows(pa.Table.from_batches([batch]), part, first)


def _row(batch: pa.RecordBatch, part: Part, number: int) -> Row | Reject:
    try:
        values: dict[str, Any] = batch.to_pylist()[0]
    except UnicodeDecodeError:
        return reject(
            part.where(number),
            "bad bytes",
            "",
            "text columns in UTF-8",
            "write the file again with valid text, or remove the row",
        )
    return Row(values, part.where(number), part.split)


def _at(table: pa.Table, path: str) -> pa.ChunkedArray | None:
    """A column; or by steps such as `translation.en`, as `Row.get` goes."""
    import pyarrow.compute as pc

    if path in table.column_names:
        return table[path]
    outer, *steps = path.split(".")
    if not steps or outer not in table.column_names:
        return None
    column = table[outer]
    for step in steps:
        if not pa.types.is_struct(column.type) or column.type.get_field_index(step) < 0:
            return None
        column = pc.struct_field(column, step)
    return column


def _is_text(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_string_view(kind)
    )
