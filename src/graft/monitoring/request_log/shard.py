"""Shards of the request log: their names, and how one is written whole."""

import json
import os
import re
import secrets
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import pyarrow as pa
import pyarrow.parquet as pq

from graft.monitoring.request_log.schema import SCHEMA

PARTIAL = ".partial"
_REPLACES = b"graft.replaces"
_NAME = re.compile(r"requests-(\d{13})-(\d{13})-(\d)-[0-9a-f]{12}\.parquet")


@dataclass(frozen=True, order=True)
class Shard:
    """A file of rows, by its name.

    Args:
        first_ms, last_ms: of the arrivals of its rows.
        level: 0 if it was written by the recorder; one more than that of the shards it
            was merged from.
    """

    first_ms: int
    last_ms: int
    level: int
    name: str

    @classmethod
    def new(cls, first_ms: int, last_ms: int, level: int) -> Self:
        """A shard with a name that no other has."""
        token = secrets.token_hex(6)
        name = f"requests-{first_ms:013}-{last_ms:013}-{level}-{token}.parquet"
        return cls(first_ms, last_ms, level, name)

    @classmethod
    def of(cls, name: str) -> Self | None:
        """The shard with this name; None if it is not one of a shard."""
        found = _NAME.fullmatch(name)
        if found is None:
            return None
        first_ms, last_ms, level = map(int, found.groups())
        return cls(first_ms, last_ms, level, name)


def list_shards(folder: Path) -> list[Shard]:
    """Shards that are complete, by time. Raises: OSError."""
    found = (Shard.of(name) for name in os.listdir(folder))
    return sorted(shard for shard in found if shard is not None)


def replaced_by(schema: pa.Schema) -> list[str]:
    """Names of the shards from which the shard with this schema was merged."""
    return list(json.loads((schema.metadata or {}).get(_REPLACES, b"[]")))


def write_shard(
    folder: Path,
    shard: Shard,
    batches: Iterable[pa.Table],
    replaces: Collection[str] = (),
) -> int:
    """Write a shard, which appears under its name when it is on the disk.

    Args:
        batches: with the columns of `SCHEMA`.
        replaces: names of shards whose rows it has.
    Returns: its size in bytes. Raises: OSError, as for a full disk.
    """
    metadata = {_REPLACES: json.dumps(sorted(replaces)).encode()}
    with _appearing(folder / shard.name) as partial:
        schema = SCHEMA.with_metadata(metadata)
        with pq.ParquetWriter(
            partial, schema, compression="zstd", write_page_checksum=True
        ) as writer:
            for batch in batches:
                writer.write_table(batch.replace_schema_metadata(metadata))
        size = partial.stat().st_size
    return size


@contextmanager
def _appearing(path: Path) -> Iterator[Path]:
    """A temporary path, which replaces `path` once its bytes are on the disk."""
    partial = path.with_name(f".{path.name}{PARTIAL}")
    try:
        yield partial
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    finally:
        partial.unlink(missing_ok=True)
