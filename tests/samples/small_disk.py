"""Filling a disk."""

import shutil
from pathlib import Path


def fill(disk: Path, room: int) -> None:
    """Leave so many bytes, in whole blocks."""
    free = shutil.disk_usage(disk).free
    (disk / "filler").write_bytes(bytes(max(free - room, 0)))
