"""Checkpoints on a remote: a folder here; tests/integration has the S3 server."""

import json
import threading
from pathlib import Path

import pytest
import torch

from graft.cloud.remote_folder import RemoteFolder
from graft.errors import StorageError
from graft.training.checkpoints import CheckpointStore, Progress
from graft.training.stores import open_store

KEY = "0123"


def save(store: CheckpointStore, step: int, best: int) -> None:
    store.folder.mkdir(parents=True, exist_ok=True)
    (store.folder / "journal.jsonl").write_text(f"event {step}\n")
    weights = {"a": torch.full((3,), float(step))}
    optimizer = {"state": {0: {"step": torch.tensor(float(step)), "betas": (0.9, 1)}}}
    store.save(Progress(step, step, best, 1.0, 0, []), weights, optimizer)


def last_step(store: CheckpointStore) -> int | None:
    found = store.load_last()
    return found[0].step if found else None


@pytest.fixture(name="remote")
def _remote(tmp_path: Path) -> RemoteFolder:
    return RemoteFolder(str(tmp_path / "remote"))


def test_a_fresh_machine_resumes_from_the_last_checkpoint_and_has_the_best_one(
    tmp_path: Path, remote: RemoteFolder
) -> None:
    store = open_store(tmp_path / "one", KEY, 1, remote)
    for step in (1, 2, 3):
        save(store, step, best=1)
        store.close()
    other = open_store(tmp_path / "other", KEY, 1, remote)
    assert other.steps() == [1, 3] and other.load_weights(1)["a"].tolist() == [1] * 3
    progress, weights, optimizer = other.load_last() or pytest.fail("nothing")
    assert (progress.step, weights["a"].tolist()) == (3, [3, 3, 3])
    assert optimizer["state"][0]["betas"] == (0.9, 1)
    assert optimizer["state"][0]["step"] == 3
    assert (other.folder / "journal.jsonl").read_text() == "event 3\n"
    # What is neither the last nor the best one is removed there, too.
    assert not remote.names(f"{KEY}/training-000/step-000002")


@pytest.mark.parametrize("fault", ("no manifest", "other bytes", "missing file"))
def test_the_checkpoint_before_a_broken_one_is_used(
    tmp_path: Path,
    remote: RemoteFolder,
    fault: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    store = open_store(tmp_path / "one", KEY, 2, remote)
    for step in (1, 2):
        save(store, step, best=1)
        store.close()
    broken = Path(remote.address) / KEY / "training-000/step-000002"
    if fault == "other bytes":
        path = broken / "weights.safetensors"
        path.write_bytes(path.read_bytes()[:-1] + b"?")
    else:
        name = "manifest.json" if fault == "no manifest" else "optimizer.json"
        (broken / name).unlink()
    other = open_store(tmp_path / "other", KEY, 2, remote)
    assert last_step(other) == 1 and other.steps() == [1]
    assert "step-000002" in capsys.readouterr().err


def test_names_in_a_manifest_cannot_leave_the_folder(
    tmp_path: Path, remote: RemoteFolder
) -> None:
    store = open_store(tmp_path / "one", KEY, 2, remote)
    save(store, 1, best=1)
    store.close()
    path = Path(remote.address) / KEY / "training-000/step-000001/manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"../../x.json": "0"}))
    other = open_store(tmp_path / "other", KEY, 2, remote)
    assert last_step(other) is None


def test_a_finished_training_leaves_nothing_to_resume_from(
    tmp_path: Path, remote: RemoteFolder
) -> None:
    store = open_store(tmp_path / "one", KEY, 2, remote)
    save(store, 1, best=1)
    store.close()
    store.finish()
    assert remote.names(f"{KEY}/training-000") >= {"finished"}
    other = open_store(tmp_path / "other", KEY, 2, remote)
    assert other.folder.name == "training-001" and last_step(other) is None


class Hanging(RemoteFolder):
    """A remote that waits before each file but the first."""

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self.goes_on = threading.Event()

    def put(self, file: Path, name: str = "") -> None:
        assert name.endswith("started") or self.goes_on.wait(20)
        super().put(file, name)


def test_no_step_waits_for_a_slow_remote_which_gets_the_newest_checkpoint(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    remote = Hanging(str(tmp_path / "remote"))
    store = open_store(tmp_path / "one", KEY, 1, remote)
    for step in range(1, 6):  # ends, although nothing can be copied
        save(store, step, best=1)
    assert {1, 5} <= set(store.steps())
    remote.goes_on.set()
    store.close()
    other = open_store(tmp_path / "other", KEY, 1, RemoteFolder(remote.address))
    assert last_step(other) == 5
    assert "were followed by a newer one" in caplog.text


class Failing(RemoteFolder):
    """A remote that fails while `fails` is set."""

    fails = False

    def put(self, file: Path, name: str = "") -> None:
        if self.fails:
            raise StorageError("remote", "no network")
        super().put(file, name)


def test_training_goes_on_without_its_remote_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    remote = Failing(str(tmp_path / "remote"))
    store = open_store(tmp_path / "one", KEY, 1, remote)
    remote.fails = True
    save(store, 1, best=1)
    store.close()
    assert "no network" in caplog.text and "1 failed" in caplog.text
    remote.fails = False
    save(store, 2, best=1)
    store.close()
    other = open_store(tmp_path / "other", KEY, 1, remote)
    assert other.steps() == [1, 2]


def test_a_remote_that_cannot_be_written_is_refused_at_the_start(
    tmp_path: Path,
) -> None:
    remote = Failing(str(tmp_path / "remote"))
    remote.fails = True
    with pytest.raises(StorageError, match="no network"):
        open_store(tmp_path / "one", KEY, 1, remote)
