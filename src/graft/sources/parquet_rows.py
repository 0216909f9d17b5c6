"""Parquet files."""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from graft.config import DataConfig
from graft.errors import DataError
from graft.records import Reject, Row
from graft.sources.files import Part, reject

BATCH = 4096
"""Rows held at once."""


def read_parquet(part: Part, data: DataConfig) -> Iterator[Row | Reject]:
    """Rows of a Parquet file, only the columns that `data` names; row n from 1.

    Raises: DataError if the file is not whole.
    """
    number = 0
    try:
        with pq.ParquetFile(part.path) as file:
            wanted = _outer_columns(data)
            names = [name for name in file.schema_arrow.names if name in wanted]
            if not names:  # none is there; the caller says so, and needs the names
                names = file.schema_arrow.names
            for batch in file.iter_batches(BATCH, columns=names):
                for values in _rows(batch):
                    number += 1
                    where = part.where(number)
                    if values is None:
                        yield reject(
                            where,
                            "bad bytes",
                            "",
                            "text columns in UTF-8",
                            "write the file again with valid text, or remove the row",
                        )
                    else:
                        yield Row(values, where, part.split)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise DataError(
            part.where(),
            f"cannot be read as Parquet: {str(error).splitlines()[0]}",
            expected="a whole Parquet file",
            fix="fetch or write the file again, or correct data.format",
        ) from error


def _outer_columns(data: DataConfig) -> set[str]:
    """Columns that `data` names, whole or by a path such as `translation.en`."""
    paths = [*data.fields.values(), data.group, data.stratum, data.split]
    whole = {path for path in paths if path}
    return whole | {path.partition(".")[0] for path in whole}


def _rows(batch: pa.RecordBatch) -> Iterator[dict[str, Any] | None]:
    """Rows as values by name; None for one whose text is not UTF-8."""
    try:
        yield from batch.to_pylist()
    except UnicodeDecodeError:
        for at in range(batch.num_rows):
            try:
                yield from batch.slice(at, 1).to_pylist()
            except UnicodeDecodeError:
                yield None
