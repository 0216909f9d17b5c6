"""The train stage, interrupted, and its run in the tracking store."""

import signal
import sqlite3
from pathlib import Path

import pytest
from train_pipeline import EVERY, finish, make_pipeline, start


def statuses(folder: Path) -> list[str]:
    """The status of each run in the store."""
    with sqlite3.connect(folder / "mlflow.db") as store:
        return [status for (status,) in store.execute("SELECT status FROM runs")]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("processes", "number"), [(1, signal.SIGINT), (2, signal.SIGTERM)]
)
def test_an_interrupted_training_leaves_its_run_killed_and_resumes_it(
    tmp_path: Path, processes: int, number: signal.Signals
) -> None:
    make_pipeline(
        tmp_path,
        max_steps=60,
        num_processes=processes,
        micro_batch_size=1,
        global_batch_size=2,
    )
    with start(tmp_path, "out") as stage:
        assert stage.stderr is not None
        next(line for line in stage.stderr if line.startswith(f"train: step {EVERY}"))
        stage.send_signal(number)
        said = stage.communicate(timeout=120)[1]
    assert stage.returncode == 128 + number
    assert said.count("training resumes from its last checkpoint") == 1
    assert "Traceback" not in said and "error" not in said
    assert statuses(tmp_path) == ["KILLED"]
    assert list(tmp_path.rglob("step-*"))
    with start(tmp_path, "out") as stage:
        assert f"step {EVERY}/" not in finish(stage)
    assert statuses(tmp_path) == ["FINISHED"]
