"""Check that no held-out example is in the training split."""

from pathlib import Path
from typing import Literal

from graft.errors import DataError
from graft.io import read_batches, read_table


def check_held_out(splits: Path, name: Literal["validation", "test"]) -> None:
    """Look for a held-out split's ids in train.

    The split stage ensures this; training and evaluation depend on it, and check it.
    Memory: the ids of the held-out split.
    Raises: DataError if train has one of them, or a split is missing.
    """
    import pyarrow.compute as pc

    held_out = read_table(splits / name, ["id"])["id"].combine_chunks()
    found: list[str] = []
    for table in read_batches(splits / "train", ["id"]):
        common = table.filter(pc.is_in(table["id"], value_set=held_out))
        found += common["id"].to_pylist()
    if found:
        raise DataError(
            str(splits / "train"),
            f"has {len(found):,} examples of the {name} split: " + ", ".join(found[:3]),
            expected="each example in one split",
            fix="split again: dvc repro -s -f split",
        )
