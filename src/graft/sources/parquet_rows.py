"""Parquet files, read as columns."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from graft.config import DataConfig
from graft.errors import DataError
from graft.records import Reject, Row
from graft.records.row_batch import BATCH, RowBatch, RowList, to_batches
from graft.sources.constants import check_constant, with_constants
from graft.sources.files import SourcePart, outer_columns, reject
from graft.sources.opening import check_parquet

if TYPE_CHECKING:
    import polars as pl

_READ = {"pre_buffer": False, "page_checksum_verification": True}


@dataclass(frozen=True)
class TableRows:
    """Rows of a table with valid text; the first is row `first` of the part. Methods as
    of `RowBatch`."""

    table: pa.Table
    part: SourcePart
    first: int

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @property
    def num_rows(self) -> int:
        return len(self)

    def texts(self, path: str, numbers: bool = False) -> "pl.Series":
        """Floats are left to `row`, where Python formats them."""
        import polars as pl

        column = _at(self.table, path)
        if column is None or not (
            _is_text(column.type) or numbers and pa.types.is_integer(column.type)
        ):
            return pl.Series([None] * len(self), dtype=pl.String)
        found = pl.from_arrow(column)
        assert isinstance(found, pl.Series)
        return found.cast(pl.String)

    def row(self, at: int) -> Row | Reject:
        return _row(self.table.slice(at, 1), self.part, self.first + at)

    def where(self) -> "pl.Series":
        import polars as pl

        number = pl.int_range(self.first, self.first + len(self), eager=True)
        return pl.select(
            pl.format("{}:{}", pl.lit(self.part.where()), number)
        ).to_series()

    def split(self) -> "pl.Series":
        import polars as pl

        return pl.Series([self.part.split] * len(self), dtype=pl.String)


def read_tables(part: SourcePart, data: DataConfig) -> Iterator[RowBatch]:
    """Batches of a Parquet file with the columns that `data` names; rows from 1.

    Raises: DataError if the file is incomplete, or has a column of `data` twice.
    """
    check_parquet(part.path)
    number = 1
    try:
        with pq.ParquetFile(part.path, **_READ) as file:
            schema, wanted = file.schema_arrow, outer_columns(data)
            names = [name for name in schema.names if name in wanted]
            _check_names(part, [field for field in schema if field.name in wanted])
            if not names:
                # Nothing is decoded, and each row is rejected for its missing columns.
                values = dict.fromkeys(schema.names)
                yield from to_batches(
                    with_constants(Row(values, part.where(n), part.split), data)
                    for n in range(1, file.metadata.num_rows + 1)
                )
                return
            for batch in file.iter_batches(BATCH, columns=names):
                yield _to_rows(batch, part, number, data)
                number += batch.num_rows
    except (pa.ArrowException, OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # of the disk or the system
        raise DataError(
            part.where(),
            f"cannot be read as Parquet: {str(error).splitlines()[0]}",
            expected="a complete Parquet file",
            fix="fetch or write the file again, or correct data.format",
        ) from error


def _check_names(part: SourcePart, fields: list[pa.Field]) -> None:
    """Raises: DataError if two have the same name, here or within a struct."""
    names = [field.name for field in fields]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise DataError(
            part.where(),
            f"two columns have the same name, {twice!r}",
            expected="different names",
            fix="write the file again without one of them, or rename it",
        )
    for field in fields:
        _check_names(part, [field.type.field(i) for i in range(field.type.num_fields)])


def read_parquet(part: SourcePart, data: DataConfig) -> Iterator[Row | Reject]:
    """The rows of `read_tables`, one by one."""
    for batch in read_tables(part, data):
        yield from (batch.row(at) for at in range(len(batch)))


def first_rows(batches: Iterable[RowBatch], limit: int | None) -> Iterator[RowBatch]:
    """Batches up to `limit` rows in total; None: all."""
    left = limit
    for batch in batches:
        if left is not None and len(batch) >= left:
            yield RowList([batch.row(at) for at in range(left)])
            return
        left = None if left is None else left - len(batch)
        yield batch


def _to_rows(
    batch: pa.RecordBatch, part: SourcePart, first: int, data: DataConfig
) -> RowBatch:
    """Columns; or single rows if a text is not valid UTF-8."""
    try:
        batch.validate(full=True)
    except pa.ArrowInvalid:
        rows = [_row(batch.slice(at, 1), part, first + at) for at in range(len(batch))]
        return RowList([with_constants(row, data) for row in rows])
    table = pa.Table.from_batches([batch])
    for name, value in data.constants.items():
        if name in table.column_names:
            check_constant(name, value, table[name].to_pylist())
        else:
            table = table.append_column(name, pa.repeat(value, len(table)))
    return TableRows(table, part, first)


def _row(
    rows: pa.RecordBatch | pa.Table, part: SourcePart, number: int
) -> Row | Reject:
    """The only row of a slice."""
    try:
        values: dict[str, Any] = rows.to_pylist()[0]
    except UnicodeDecodeError:
        return reject(
            part.where(number),
            "bad bytes",
            "",
            "text columns in UTF-8",
            "write the file again with valid text, or remove the row",
        )
    except (ValueError, OverflowError, pa.ArrowException) as error:
        return reject(
            part.where(number),
            "unreadable value",
            error,
            "values that Python can represent, such as dates of the years 1 to 9999",
            "correct the value, or remove the row",
        )
    return Row(values, part.where(number), part.split)


def _at(table: pa.Table, path: str) -> pa.ChunkedArray | None:
    """A column, or the field at a path such as `translation.en`, as in `Row.get`."""
    if path in table.column_names:
        return table[path]
    if "[" in path:
        return None  # paths into lists are read row by row
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
    if pa.types.is_dictionary(kind):
        return _is_text(kind.value_type)
    return bool(
        pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_string_view(kind)
    )
