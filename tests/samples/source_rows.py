"""The rows of a source, one by one."""

from collections.abc import Iterator

from graft.config import DataConfig
from graft.records import Reject, Row
from graft.sources import read_row_batches


def read_rows(data: DataConfig) -> Iterator[Row | Reject]:
    for batch in read_row_batches(data):
        yield from (batch.row(at) for at in range(len(batch)))
