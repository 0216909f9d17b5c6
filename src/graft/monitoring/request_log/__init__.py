"""The request log: one Parquet row per request, in shards that appear whole."""

from graft.monitoring.request_log.reading import read_row_batches, read_rows
from graft.monitoring.request_log.schema import SCHEMA

__all__ = ["SCHEMA", "read_row_batches", "read_rows"]
