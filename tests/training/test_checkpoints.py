import errno
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from graft.errors import StorageError
from graft.training.checkpoints import CheckpointStore, Progress
from graft.training.stores import open_store

START = Progress(
    step=0, num_tokens=0, best_step=0, best_loss=9.0, worse_in_a_row=0, history=[]
)


def save(store: CheckpointStore, step: int, best: int = 1, **optimizer: Any) -> None:
    progress = replace(START, step=step, best_step=best, history=[{"step": step}])
    store.save(progress, {"w": torch.full((2,), float(step))}, optimizer)


def test_what_was_saved_last_is_loaded(tmp_path: Path) -> None:
    store = CheckpointStore(tmp_path / "new", 2)
    assert store.load_last() is None
    save(store, 1)
    save(store, 2, state={0: torch.tensor([3.0])})
    assert (last := CheckpointStore(tmp_path / "new", 2).load_last()) is not None
    progress, weights, optimizer = last
    assert progress == replace(START, step=2, best_step=1, history=[{"step": 2}])
    assert weights["w"].tolist() == [2.0, 2.0]
    assert optimizer["state"][0].tolist() == [3.0]


def test_the_last_few_checkpoints_and_the_best_are_kept(tmp_path: Path) -> None:
    store = CheckpointStore(tmp_path, 2)
    for step in range(1, 8):
        save(store, step, best=min(step, 3))
    assert store.steps() == [3, 6, 7]
    assert store.load_weights(3)["w"].tolist() == [3.0, 3.0]


def test_steps_are_in_order_of_number_beyond_six_digits(tmp_path: Path) -> None:
    store = CheckpointStore(tmp_path, 3)
    for step in (999_999, 1_000_000):
        save(store, step)
    assert store.steps() == [999_999, 1_000_000]


def test_a_partial_checkpoint_is_never_loaded(tmp_path: Path) -> None:
    store = CheckpointStore(tmp_path, 2)
    save(store, 4)
    partial = tmp_path / ".step-000008.partial"
    partial.mkdir()
    (partial / "weights.safetensors").write_bytes(b"half")
    assert store.steps() == [4]
    assert (last := store.load_last()) is not None and last[0].step == 4
    save(store, 8)
    assert store.steps() == [4, 8]
    assert not partial.exists()


def test_a_full_disk_leaves_the_checkpoint_before_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = CheckpointStore(tmp_path, 1)
    save(store, 4, best=4)

    def fail(tensors: Any, path: Path) -> None:
        save_file(tensors, path)
        path.write_bytes(path.read_bytes()[:100])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("safetensors.torch.save_file", fail)
    with pytest.raises(StorageError, match="the disk is full"):
        save(store, 8, best=8)
    assert [path.name for path in tmp_path.iterdir()] == ["step-000004"]
    assert (last := store.load_last()) is not None and last[0].step == 4


def test_an_unfinished_training_resumes_and_a_finished_one_does_not(
    tmp_path: Path,
) -> None:
    first = open_store(tmp_path, "key", 2)
    save(first, 4)
    assert open_store(tmp_path, "key", 2).folder == first.folder
    first.finish()
    assert first.steps() == []
    second = open_store(tmp_path, "key", 2)
    assert second.folder != first.folder and second.load_last() is None
    save(second, 2)
    assert open_store(tmp_path, "key", 2).folder == second.folder


def test_another_configuration_has_checkpoints_of_its_own(tmp_path: Path) -> None:
    one = open_store(tmp_path, "one", 2)
    save(one, 4)
    assert open_store(tmp_path, "other", 2).load_last() is None


@pytest.mark.parametrize("large", ["weights", "optimizer"])
def test_a_full_disk_is_reported_as_such(small_disk: Path, large: str) -> None:
    sizes = {"weights": 1, "optimizer": 1} | {large: 20_000_000}  # 80 of 64 MB
    weights, optimizer = ({"w": torch.zeros(size)} for size in sizes.values())
    with pytest.raises(StorageError, match="the disk is full"):
        CheckpointStore(small_disk / "run", 1).save(START, weights, optimizer)
    assert not list((small_disk / "run").iterdir())
