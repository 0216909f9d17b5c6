"""Raw rows of a source: one reader for each format behind one function."""

from collections.abc import Callable, Iterator, Mapping
from itertools import chain, islice

from graft.config import DataConfig
from graft.errors import DataError
from graft.records import Reject, Row
from graft.records.row_batch import RowBatch, to_batches
from graft.sources.constants import with_constants
from graft.sources.csv_rows import read_csv
from graft.sources.files import SourcePart, find_parts
from graft.sources.hub import read_hub
from graft.sources.json_array import read_json
from graft.sources.lines import read_jsonl, read_parallel, read_text
from graft.sources.parquet_rows import first_rows, read_parquet, read_tables
from graft.sources.passages import join_rows
from graft.sources.sgm import read_sgm
from graft.sources.squad import read_squad

READERS: Mapping[str, Callable[[SourcePart, DataConfig], Iterator[Row | Reject]]] = {
    "jsonl": read_jsonl,
    "json": read_json,
    "csv": read_csv,
    "parquet": read_parquet,
    "text": read_text,
    "parallel": read_parallel,
    "sgm": read_sgm,
    "squad": read_squad,
}
"""The reader of each file format; data sets of the Hub are read by `read_hub`."""


def read_row_batches(data: DataConfig) -> Iterator[RowBatch]:
    """Stream a source; a row that cannot be read is a reject in its place.

    Raises: DataError if a file is missing or not in its format, or a split is empty;
        ConfigError for an unknown encoding.
    """
    parts = [] if data.format == "hub" else find_parts(data)
    for split, files in data.files.items():
        official = None if split == "all" else split
        mine = [part for part in parts if part.split == official]
        count = 0
        for batch in _read_split(data, mine, official, str(files)):
            count += len(batch)
            yield batch
        if not count:
            raise DataError(
                f"data.files.{split}",
                "the source has no rows",
                expected=f"at least one row in {files}",
                fix="correct the path in configs/data, or fill the file",
            )


def _read_split(
    data: DataConfig, parts: list[SourcePart], official: str | None, name: str
) -> Iterator[RowBatch]:
    if data.format == "parquet" and data.passage is None:
        return first_rows(
            chain.from_iterable(read_tables(part, data) for part in parts),
            data.max_rows,
        )
    if data.format == "hub":
        rows = read_hub(data, official, name)
    else:
        read = READERS[data.format]
        rows = chain.from_iterable(read(part, data) for part in parts)
    rows = islice(rows, data.max_rows)
    if data.passage is not None:
        (column,) = data.fields.values()
        rows = join_rows(rows, column, data.passage)
    return to_batches(with_constants(row, data) for row in rows)
