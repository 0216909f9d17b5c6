"""Merges small shards into larger ones, so that they do not become thousands."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from graft.monitoring.request_log.reading import read_shard
from graft.monitoring.request_log.shard import (
    Shard,
    list_shards,
    replaced_by,
    write_shard,
)

SHARDS_PER_MERGE = 16
SMALL_BYTES = 8 * 2**20
"""A larger shard is not merged."""
MAX_LEVEL = 9


def merge_shards(folder: Path, *, highest: int = MAX_LEVEL - 1) -> Shard | None:
    """Merge the oldest small shards of one level into one of the next level.

    The new shard names those that it replaces, until they are removed: a reader counts
    each row once, whenever this process ends.

    Args:
        highest: level of shards that are merged.
    Returns: the new shard; None if no level has enough. Raises: OSError; DataError if
        a shard is broken.
    """
    levels = defaultdict[int, list[Shard]](list)
    for shard in list_shards(folder):
        if shard.level <= highest and _size(folder / shard.name) < SMALL_BYTES:
            levels[shard.level].append(shard)
    for level, found in sorted(levels.items()):
        if len(found) >= SHARDS_PER_MERGE:
            return _merge(folder, found[:SHARDS_PER_MERGE], level + 1)
    return None


def _merge(folder: Path, shards: list[Shard], level: int) -> Shard:
    first = min(shard.first_ms for shard in shards)
    last = max(shard.last_ms for shard in shards)
    merged = Shard.new(first, last, level)

    def tables() -> Iterator[pa.Table]:
        for shard in shards:
            yield read_shard(folder / shard.name)

    write_shard(folder, merged, tables(), [shard.name for shard in shards])
    remove_replaced(folder)
    return merged


def remove_replaced(folder: Path) -> None:
    """Remove shards whose rows another shard has. Raises: OSError."""
    for name in {name for names in replacements(folder).values() for name in names}:
        (folder / name).unlink(missing_ok=True)


def replacements(folder: Path) -> dict[str, list[str]]:
    """The names of shards that each merged shard replaces. Raises: OSError."""
    found = {}
    for shard in list_shards(folder):
        if shard.level:
            try:
                schema = pq.read_schema(folder / shard.name)
            except FileNotFoundError:  # removed meanwhile
                continue
            found[shard.name] = replaced_by(schema)
    return found


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return SMALL_BYTES
