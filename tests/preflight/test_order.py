"""Preflight runs before convert."""

from pathlib import Path

import pytest
from dvc.repo import Repo
from dvc.repo.reproduce import collect_stages, plan_repro

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # DVC's own
ROOT = Path(__file__).parents[2]


def order(*targets: str) -> list[str]:
    """The names of stages in the order of `dvc repro`."""
    with Repo(str(ROOT)) as repo:
        stages = collect_stages(repo, targets or ["dvc.yaml"])
        return [stage.name for stage in plan_repro(repo.index.graph, stages)]


def test_preflight_runs_before_a_training() -> None:
    for targets in ([], ["train"], ["certify"]):
        stages = order(*targets)
        assert stages.index("preflight") < stages.index("convert")


def test_data_stages_run_on_a_machine_that_cannot_train() -> None:
    assert "preflight" not in order("tokenize")
