"""Held-out examples in the training split."""

from pathlib import Path

import pyarrow as pa
import pytest

from graft.errors import DataError
from graft.io import write_batches
from graft.training.held_out import check_held_out

SCHEMA = pa.schema([pa.field("id", pa.string())])


def write_split(folder: Path, *ids: str) -> None:
    table = pa.table({"id": list(ids)}, schema=SCHEMA)
    write_batches(folder, [table], SCHEMA)


def test_disjoint_splits_are_accepted(tmp_path: Path) -> None:
    write_split(tmp_path / "train", "a", "b")
    write_split(tmp_path / "test", "c")
    check_held_out(tmp_path, "test")


def test_an_example_of_the_test_split_in_train_is_named(tmp_path: Path) -> None:
    write_split(tmp_path / "train", "a", "b", "c", "d")
    write_split(tmp_path / "test", "d", "x", "b")
    with pytest.raises(DataError, match="has 2 examples of the test split: b, d"):
        check_held_out(tmp_path, "test")


def test_an_empty_held_out_split_is_accepted(tmp_path: Path) -> None:
    write_split(tmp_path / "train", "a")
    write_split(tmp_path / "validation")
    check_held_out(tmp_path, "validation")
