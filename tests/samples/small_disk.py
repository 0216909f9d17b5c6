"""Filling a disk."""

import shutil
from pathlib import Path


def fill(disk: Path, room: int) -> None:
    """Fill the disk until `room` bytes are free, rounded to blocks."""
    free = shutil.disk_usage(disk).free
    (disk / "filler").write_bytes(bytes(max(free - room, 0)))
