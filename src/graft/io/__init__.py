"""Parquet, JSON and text in and out: streaming, and atomic."""

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
from graft.io.scratch import scratch
from graft.io.shards import (
    ShardWriter,
    num_rows,
    open_shards,
    read_batches,
    read_table,
    write_batches,
)

__all__ = [
    "ShardWriter",
    "atomic",
    "digest",
    "digest_files",
    "num_rows",
    "open_shards",
    "read_batches",
    "read_json",
    "read_table",
    "remove",
    "scratch",
    "storage_error",
    "write_batches",
    "write_json",
    "write_text",
]
