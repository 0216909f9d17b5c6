"""The output: the rows of the input with their results, in the format of its suffix."""

import csv
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graft import io
from graft.records import Reject, Row
from graft.serving.batch.plain_rows import RESULTS
from graft.serving.batch.source import Contents, Source, format_of
from graft.serving.batch.values import to_cell, to_json, valid

if TYPE_CHECKING:
    import pyarrow as pa

BATCH = 4096
"""Rows of a Parquet row group."""
NUMBERS = ("prompt_tokens", "completion_tokens")
Results = Iterator[Mapping[str, Any]]


def write_output(
    out: Path, source: Source, contents: Contents, results: Results
) -> None:
    """Write the output at once, with a row for each of the input.

    Args:
        out: its suffix is its format.
        results: of each row, in order.
    """
    name, delimiter = format_of(out)
    with io.atomic(out) as partial:
        if contents.is_openai:
            _write_lines(partial, results)
        elif name == "jsonl":
            _write_lines(partial, _with_results(source, results))
        elif name == "csv":
            _write_csv(partial, contents.columns, source, results, delimiter)
        elif source.format == "parquet":
            _write_tables(partial, _extended(source, results), _schema(source.schema))
        else:
            schema = _schema(_texts(contents.columns))
            tables = _to_tables(_with_results(source, results), schema)
            _write_tables(partial, tables, schema)
        handle = os.open(partial, os.O_RDONLY)
        os.fsync(handle)
        os.close(handle)


def _values(row: Row | Reject) -> Mapping[str, Any]:
    return {} if isinstance(row, Reject) else row.values


def _with_results(source: Source, results: Results) -> Iterator[dict[str, Any]]:
    for row, result in zip(source.rows(), results, strict=True):
        yield {**_values(row), **result}


def _write_lines(path: Path, values: Iterable[Mapping[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(to_json(value) + "\n" for value in values)


def _write_csv(
    path: Path,
    columns: Sequence[str],
    source: Source,
    results: Results,
    delimiter: str,
) -> None:
    names = [*columns, *RESULTS]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=delimiter, lineterminator="\n")
        writer.writerow(map(valid, names))
        for values in _with_results(source, results):
            writer.writerow([to_cell(values.get(name)) for name in names])


def _texts(columns: Sequence[str]) -> "pa.Schema":
    import pyarrow as pa

    return pa.schema([(valid(name), pa.string()) for name in columns])


def _schema(columns: "pa.Schema") -> "pa.Schema":
    """These columns and those of the results. Metadata of other libraries is left out:
    it would describe the former alone."""
    import pyarrow as pa

    added = [(name, pa.int64() if name in NUMBERS else pa.string()) for name in RESULTS]
    return pa.schema([*(field.with_nullable(True) for field in columns), *added])


def _to_tables(
    rows: Iterator[Mapping[str, Any]], schema: "pa.Schema"
) -> "Iterator[pa.Table]":
    """Tables of texts, and of the results."""
    import pyarrow as pa

    while batch := list(islice(rows, BATCH)):
        cells = [
            {
                name: value if name in NUMBERS or value is None else to_cell(value)
                for name, value in row.items()
            }
            for row in batch
        ]
        yield pa.Table.from_pylist(cells, schema=schema)


def _extended(source: Source, results: Results) -> "Iterator[pa.Table]":
    """The tables of a Parquet file with the columns of the results."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = _schema(source.schema)
    with pq.ParquetFile(source.path, pre_buffer=False) as file:
        for batch in file.iter_batches(BATCH):
            added = list(islice(results, batch.num_rows))
            columns = _valid_rows(batch).columns + [
                pa.array([result[name] for result in added], schema.field(name).type)
                for name in RESULTS
            ]
            yield pa.Table.from_arrays(columns, schema=schema)


def _valid_rows(batch: "pa.RecordBatch") -> "pa.RecordBatch":
    """The batch, with null in place of each value that is not valid UTF-8."""
    import pyarrow as pa

    try:
        batch.validate(full=True)
        return batch
    except pa.ArrowInvalid:
        columns = [_valid_column(column) for column in batch.columns]
        return pa.RecordBatch.from_arrays(columns, batch.schema.names)


def _valid_column(column: "pa.Array") -> "pa.Array":
    import pyarrow as pa

    try:
        column.validate(full=True)
        return column
    except pa.ArrowInvalid:
        values = [_python(value) for value in column]
        return pa.array(values, column.type)


def _python(value: "pa.Scalar") -> Any:
    try:
        return value.as_py()
    except UnicodeDecodeError:
        return None


def _write_tables(
    path: Path, tables: "Iterable[pa.Table]", schema: "pa.Schema"
) -> None:
    import pyarrow.parquet as pq

    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for table in tables:
            writer.write_table(table)
