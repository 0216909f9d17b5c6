"""The runs of a sweep are children of one run, whatever begins first."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import mlflow
import pytest
from tracking_stores import make_store

from graft import tracking
from graft.config import RegistryConfig
from graft.tracking.sweeps import PARENT_TAG, SWEEP_TAG

pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::UserWarning"
)
CHILD = """
import sys
from pathlib import Path
from graft import tracking
from graft.config import RegistryConfig

registry = RegistryConfig(
    name="model", experiment="graft", tracking_uri="sqlite:///mlflow.db"
)
with tracking.start_run(registry, Path(sys.argv[1])) as run:
    run.log_params({"adapter.rank": 1})
"""


@pytest.fixture(name="root")
def _root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def runs(root: Path) -> list[Any]:
    """All runs of the store."""
    client = mlflow.MlflowClient(f"sqlite:///{root}/mlflow.db")
    ids = [one.experiment_id for one in client.search_experiments()]
    return list(client.search_runs(ids))


def test_two_processes_that_begin_at_once_have_one_parent(root: Path) -> None:
    environment = os.environ | {"DVC_EXP_BASELINE_REV": "c" * 40}
    words = [sys.executable, "-W", "ignore", "-c", CHILD]
    begun = [
        subprocess.Popen(  # pylint: disable=consider-using-with
            [*words, f"{name}.jsonl"],
            cwd=root,
            env=environment | {"DVC_EXP_NAME": name},
        )
        for name in ("one", "other")
    ]
    assert [process.wait(200) for process in begun] == [0, 0]
    found = runs(root)
    (parent,) = [one for one in found if SWEEP_TAG in one.data.tags]
    assert parent.data.tags[SWEEP_TAG] == "c" * 40
    assert parent.info.status == "FINISHED"
    children = {
        one.info.run_name: one.data.tags[PARENT_TAG]
        for one in found
        if one is not parent
    }
    assert children == {name: parent.info.run_id for name in ("one", "other")}


def test_a_run_that_is_no_experiment_has_no_parent(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DVC_EXP_NAME", "DVC_EXP_BASELINE_REV"):
        monkeypatch.delenv(name, raising=False)
    registry = RegistryConfig(
        name="model", experiment="graft", tracking_uri=make_store(root)
    )
    with tracking.start_run(registry, root / "run.jsonl") as run:
        run.log_params({"adapter.rank": 1})
    (found,) = runs(root)
    assert PARENT_TAG not in found.data.tags
