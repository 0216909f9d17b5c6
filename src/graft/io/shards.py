"""A table as a folder of a few large Parquet shards, read in order."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Self

from graft.errors import DataError
from graft.io.files import atomic

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

ROWS_PER_SHARD = 1_000_000
BYTES_PER_SHARD = 2**30
"""Of Arrow memory: about 100 to 400 MB in the file. DVC pushes whole shards; many small
objects are slow on S3, and a few huge ones cannot be fetched in parallel."""
REPEATING = (
    *("stratum", "split", "stage", "reason", "expected", "fix"),
    *("messages.list.element.role", "input_ids.list.element"),
)
"""Columns with few distinct values; dictionaries of others cost time for no gain."""

# Pre-buffering would hold all further row groups in memory. Without verification, a bit
# flipped on disk would silently change a text; verification costs almost nothing.
_READ = {"pre_buffer": False, "page_checksum_verification": True}


class ShardWriter:
    """Writes tables to a new folder; a shard ends past a number of rows or bytes.

    There is always at least one shard, so that an empty result has columns. Use within
    `atomic`, so that an incomplete folder does not get the final name.
    """

    def __init__(self, folder: Path, schema: "pa.Schema") -> None:
        self._folder, self._schema = folder, schema
        self._writer: pq.ParquetWriter | None = None
        self._rows = self._bytes = 0
        self.num_rows = self.num_shards = 0

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True)
        return self

    def write(self, table: "pa.Table") -> None:
        """Write the columns of the schema; others are dropped."""
        table = table.select(self._schema.names).cast(self._schema)
        if self._rows >= ROWS_PER_SHARD or self._bytes >= BYTES_PER_SHARD:
            self._close()
        if self._writer is None:
            self._open()
        elif not table.num_rows:
            return
        self._writer.write_table(table)  # type: ignore[union-attr]
        self._rows += table.num_rows
        self._bytes += table.nbytes
        self.num_rows += table.num_rows

    def __exit__(self, *error: object) -> None:
        if not self.num_shards and error[0] is None:
            self._open()
        self._close()

    def _open(self) -> None:
        import pyarrow.parquet as pq

        plain = [name for name in self._schema.names if name == "where"]
        self._writer = pq.ParquetWriter(
            self._folder / f"part-{self.num_shards:05d}.parquet",
            self._schema,
            compression="zstd",
            use_dictionary=list(REPEATING),
            column_encoding=dict.fromkeys(plain, "DELTA_BYTE_ARRAY"),
            write_page_checksum=True,
        )
        self.num_shards += 1
        self._rows = self._bytes = 0

    def _close(self) -> None:
        if self._writer is not None:
            self._writer.close()
        self._writer = None


@contextmanager
def open_shards(out: Path, schema: "pa.Schema") -> Iterator[ShardWriter]:
    """A writer to the folder `out`, which appears, or is replaced, when all is
    written."""
    with atomic(out) as partial, ShardWriter(partial, schema) as writer:
        yield writer


def write_batches(
    out: Path, batches: "Iterable[pa.Table]", schema: "pa.Schema"
) -> dict[str, int]:
    """Write tables to `out` as they come. Returns: `num_rows` and `num_shards`."""
    with open_shards(out, schema) as writer:
        for table in batches:
            writer.write(table)
    return {"num_rows": writer.num_rows, "num_shards": writer.num_shards}


def read_batches(
    source: Path, columns: list[str] | None = None, batch_size: int = 16_384
) -> "Iterator[pa.Table]":
    """Read a folder of Parquet shards in order, `batch_size` rows at a time.

    Raises: DataError if the folder is missing or empty, or a shard is broken.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    for shard in _shards(source):
        with _named(shard), pq.ParquetFile(shard, **_READ) as file:
            for batch in file.iter_batches(batch_size, columns=columns):
                yield pa.Table.from_batches([batch])
            if not file.metadata.num_rows:
                yield file.schema_arrow.empty_table().select(
                    columns or file.schema_arrow.names
                )


def num_rows(source: Path) -> int:
    """Rows of a folder of shards, read from their footers. Raises: DataError."""
    import pyarrow.parquet as pq

    total = 0
    for shard in _shards(source):
        with _named(shard):
            total += pq.read_metadata(shard).num_rows
    return total


def read_table(source: Path, columns: list[str] | None = None) -> "pa.Table":
    """Read all shards of a folder; for small tables."""
    import pyarrow as pa

    return pa.concat_tables(read_batches(source, columns))


def _shards(source: Path) -> list[Path]:
    if shards := sorted(source.glob("part-*.parquet")):
        return shards
    raise DataError(
        str(source),
        "no Parquet shard here",
        expected="a folder that an earlier stage wrote",
        fix="run the pipeline from its start: dvc repro",
    )


@contextmanager
def _named(shard: Path) -> Iterator[None]:
    """Raises: DataError that names a broken shard."""
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError) as error:
        raise DataError(
            str(shard),
            f"cannot be read: {str(error).splitlines()[0]}",
            expected="a complete Parquet shard",
            fix="make it again (dvc repro --force STAGE) or fetch it: dvc checkout",
        ) from error
