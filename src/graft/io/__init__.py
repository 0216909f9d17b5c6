"""Streaming, atomic reading and writing of Parquet, JSON, CSV and text."""

from graft.io.files import (
    atomic,
    digest,
    digest_files,
    read_json,
    remove,
    storage_error,
    write_json,
    write_text,
)
from graft.io.json_lines import read_json_lines, write_json_lines
from graft.io.scratch import scratch
from graft.io.shards import (
    ShardWriter,
    num_rows,
    open_shards,
    read_batches,
    read_table,
    write_batches,
)
from graft.io.spreadsheet import read_spreadsheet
from graft.io.tables import align

__all__ = [
    "ShardWriter",
    "align",
    "atomic",
    "digest",
    "digest_files",
    "num_rows",
    "open_shards",
    "read_batches",
    "read_json",
    "read_json_lines",
    "read_spreadsheet",
    "read_table",
    "remove",
    "scratch",
    "storage_error",
    "write_batches",
    "write_json",
    "write_json_lines",
    "write_text",
]
