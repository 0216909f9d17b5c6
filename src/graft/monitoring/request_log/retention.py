"""Keeps the request log within its space on the disk."""

import time
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

import pyarrow.parquet as pq

from graft.monitoring.request_log.shard import PARTIAL, Shard, list_shards

ABANDONED_S = 3600
"""Seconds after which a partial file belongs to a process that was killed."""


class Kept(NamedTuple):
    """What is left: the size of all shards, and rows that were removed before they were
    copied to the remote."""

    num_bytes: int
    num_lost: int


def remove_oldest(folder: Path, max_bytes: int, copied: Collection[str] | None) -> Kept:
    """Remove the oldest shards until the rest has at most `max_bytes`.

    Args:
        copied: names of shards that the remote has, whose rows are not lost. None:
            there is no remote, and the oldest rows are meant to be removed.
    Raises: OSError.
    """
    sizes: dict[Shard, int] = {}
    for shard in list_shards(folder):
        try:
            sizes[shard] = (folder / shard.name).stat().st_size
        except FileNotFoundError:  # merged, or removed by another server
            continue
    total, num_lost = sum(sizes.values()), 0
    for shard in sorted(sizes, key=lambda one: one.last_ms):
        if total <= max_bytes:
            break
        path = folder / shard.name
        try:
            is_kept = copied is None or shard.name in copied
            rows = 0 if is_kept else pq.read_metadata(path).num_rows
            path.unlink()
        except FileNotFoundError:
            rows = 0
        total -= sizes[shard]
        num_lost += rows
    return Kept(total, num_lost)


def remove_abandoned(folder: Path) -> None:
    """Remove partial files of processes that were killed. Raises: OSError."""
    for path in folder.glob(f".requests-*{PARTIAL}"):
        try:
            if time.time() - path.stat().st_mtime > ABANDONED_S:
                path.unlink()
        except FileNotFoundError:  # it was renamed
            continue
