"""Rows of the request log, while it is written."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from graft.errors import DataError
from graft.io import storage_error
from graft.monitoring.request_log.schema import SCHEMA
from graft.monitoring.request_log.shard import list_shards, replaced_by

ATTEMPTS = 20
"""To open all shards before one of them is merged or removed."""


def read_rows(
    folder: Path,
    *,
    since_ms: int = 0,
    until_ms: int = 2**62,
    columns: Sequence[str] | None = None,
) -> pa.Table:
    """Rows of the requests that arrived from `since_ms` and before `until_ms`, UTC
    since 1970, by time.

    Args:
        folder: of the request log, of one server or of several.
        columns: those of the result; by default all of `SCHEMA`.
    Returns: each row once, although shards may be merged meanwhile. Columns that an
        older shard lacks are null.
    Raises: DataError if there is no such folder, or a shard is broken.
    """
    names = list(columns or SCHEMA.names)
    batches = read_row_batches(
        folder,
        since_ms=since_ms,
        until_ms=until_ms,
        columns=dict.fromkeys([*names, "time_ms"]),
    )
    schema = pa.schema([SCHEMA.field(n) for n in dict.fromkeys([*names, "time_ms"])])
    table = pa.concat_tables([schema.empty_table(), *batches])
    order = pc.sort_indices(table["time_ms"])
    return table.take(order).select(names)


def read_row_batches(
    folder: Path,
    *,
    since_ms: int = 0,
    until_ms: int = 2**62,
    columns: Sequence[str] | dict[str, None] | None = None,
) -> Iterator[pa.Table]:
    """As `read_rows`, a table for each shard, which fits into memory; not sorted."""
    names = list(columns or SCHEMA.names)
    with ExitStack() as stack:
        for path, file in _open(folder, since_ms, until_ms, stack).items():
            table = _read(file, names, path)
            times = table["time_ms"]
            inside = pc.and_(
                pc.greater_equal(times, since_ms), pc.less(times, until_ms)
            )
            yield table.filter(inside).select(names)


def _open(
    folder: Path, since_ms: int, until_ms: int, stack: ExitStack
) -> dict[Path, pq.ParquetFile]:
    """Files that together have each row in this time once.

    A file that is removed while it is open can still be read.
    """
    error: OSError = FileNotFoundError(str(folder))
    for _ in range(ATTEMPTS):
        try:
            shards = list_shards(folder)
            if shards != list_shards(folder):
                continue  # a listing during a merge may lack the old and the new shard
        except OSError as missing:
            raise storage_error(folder, missing) from missing
        with ExitStack() as opened:
            files = {}
            try:
                for shard in shards:
                    if shard.last_ms >= since_ms and shard.first_ms < until_ms:
                        path = folder / shard.name
                        stream = opened.enter_context(pa.OSFile(str(path)))
                        files[path] = _footer(stream, path)
            except FileNotFoundError as removed:
                error = removed
                continue
            replaced = {
                name
                for file in files.values()
                for name in replaced_by(file.schema_arrow)
            }
            stack.push(opened.pop_all())
            return {p: file for p, file in files.items() if p.name not in replaced}
    raise storage_error(folder, error) from error


def _footer(stream: pa.NativeFile, path: Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(stream, page_checksum_verification=True)
    except (pa.ArrowException, OSError) as error:
        raise _broken(path, error) from error


def read_shard(path: Path) -> pa.Table:
    """All rows of a shard, with the columns of `SCHEMA`. Raises: DataError; OSError."""
    with pa.OSFile(str(path)) as stream:
        return _read(_footer(stream, path), SCHEMA.names, path)


def _read(file: pq.ParquetFile, names: Sequence[str], path: Path) -> pa.Table:
    wanted = list(dict.fromkeys([*names, "time_ms"]))
    try:
        table = file.read([n for n in wanted if n in file.schema_arrow.names])
    except (pa.ArrowException, OSError) as error:
        raise _broken(path, error) from error
    for name in wanted:
        if name not in table.column_names:
            empty = pa.nulls(table.num_rows, SCHEMA.field(name).type)
            table = table.append_column(SCHEMA.field(name), empty)
    schema = pa.schema([SCHEMA.field(name) for name in wanted])
    return table.select(wanted).cast(schema).replace_schema_metadata()


def _broken(where: Path, error: Exception) -> DataError:
    return DataError(
        str(where),
        f"cannot be read: {str(error).splitlines()[0]}",
        expected="a complete shard of the request log",
        fix="remove this file, or fetch it from the log's remote",
    )
