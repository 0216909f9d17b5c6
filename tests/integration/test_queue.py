"""Experiments that DVC runs in temporary copies of the repository."""

import json
import sys
from pathlib import Path

import pytest
from toy_repo import ToyRepo

STAGE_FILE = """
import sys
from pathlib import Path

from graft import tracking
from graft.config.params import load_params

params = load_params()
with tracking.start_run(params.registry, Path("checkpoints/k/journal.jsonl")) as run:
    run.log_params({"adapter.rank": params.adapter.rank})
    Path("out").write_text(run.run_id)
    run.log_artifact(Path("out"), "reports")
"""
READ = """
import json, mlflow
mlflow.set_tracking_uri("sqlite:///mlflow.db")
client = mlflow.MlflowClient()
runs = mlflow.search_runs(experiment_names=["graft"], output_format="list")
print(json.dumps([
    [r.info.run_name, r.info.status, r.data.params, r.data.tags,
     [f.path for f in client.list_artifacts(r.info.run_id, "reports")],
     r.info.artifact_uri, r.info.run_id]
    for r in runs
]))
"""


@pytest.fixture
def repo(tmp_path: Path) -> ToyRepo:
    stage = {
        "cmd": f"{sys.executable} stage.py",
        "deps": ["stage.py"],
        "params": ["adapter.rank"],
        "outs": ["out"],
    }
    made = ToyRepo(tmp_path / "repo", {"one": stage}, {})
    made.write("stage.py", STAGE_FILE)
    made.commit()
    return made


@pytest.mark.slow
def test_a_queued_sweep_leaves_its_runs_in_the_repositorys_own_store(
    repo: ToyRepo,
) -> None:
    repo("dvc", "exp", "run", "--queue", "-S", "adapter.rank=8,16,32")
    repo("dvc", "exp", "run", "--run-all", "--jobs", "2")
    shown = json.loads(repo("dvc", "exp", "show", "--json"))
    names = {
        experiment["name"]
        for line in shown
        for experiment in line.get("experiments") or []
    }
    assert len(names) == 3
    runs = json.loads(repo(sys.executable, "-W", "ignore", "-c", READ).splitlines()[-1])
    commit = repo("git", "rev-parse", "HEAD").strip()
    (parent,) = [run for run in runs if run[3].get("graft.sweep") == commit]
    runs.remove(parent)
    assert {run[3]["mlflow.parentRunId"] for run in runs} == {parent[6]}
    assert {run[0] for run in runs} == names
    assert {run[3]["dvc.experiment"] for run in runs} == names
    assert sorted(run[2]["adapter.rank"] for run in runs) == ["16", "32", "8"]
    for _, status, _, tags, artifacts, place, _ in runs:
        assert status == "FINISHED" and artifacts == ["reports/out"]
        assert place.startswith((repo.folder / "mlartifacts").as_uri())
        kept = repo.folder / ".graft" / f"journal-{tags['graft.run']}.jsonl"
        assert kept.is_file()


@pytest.mark.slow
def test_a_run_in_a_removed_copy_can_be_logged_later(repo: ToyRepo) -> None:
    repo.environment["MLFLOW_TRACKING_URI"] = "http://127.0.0.1:9"
    output = repo("dvc", "exp", "run", "--temp", "-S", "adapter.rank=8")
    assert "not all of this run was logged" in output
    (journal,) = (repo.folder / ".graft").glob("journal-*.jsonl")
    assert f"graft log {journal}" in output
    del repo.environment["MLFLOW_TRACKING_URI"]
    repo("graft", "log", str(journal))
    runs = json.loads(repo(sys.executable, "-W", "ignore", "-c", READ).splitlines()[-1])
    (parent,) = [run for run in runs if "graft.sweep" in run[3]]
    runs.remove(parent)
    (run,) = runs
    assert run[3]["mlflow.parentRunId"] == parent[6]
    assert run[2] == {"adapter.rank": "8"} and run[4] == ["reports/out"]


def test_copies_that_dvc_cannot_make_are_refused_at_once(tmp_path: Path) -> None:
    stage = {"cmd": "echo 1 > out", "params": ["adapter.rank"], "outs": ["out"]}
    repo = ToyRepo(tmp_path / "one #1 & more", {"one": stage}, {})
    for flag in ("--queue", "--temp"):
        output = repo("dvc", "exp", "run", flag, fails=True)
        assert f"DVC cannot run {flag} in a folder with # in its path" in output
        assert "fix: rename the folder" in output
    repo("dvc", "exp", "run")
    assert repo.read("out") == "1\n"


@pytest.mark.slow
def test_accents_in_the_path_need_a_cache_elsewhere(tmp_path: Path) -> None:
    stage = {"cmd": "echo 1 > out", "params": ["adapter.rank"], "outs": ["out"]}
    repo = ToyRepo(tmp_path / "été", {"one": stage}, {})
    for flag in ("--queue", "--temp"):
        output = repo("dvc", "exp", "run", flag, fails=True)
        assert "with a cache whose path contains letters such as é" in output
    repo("dvc", "cache", "dir", "--local", str(tmp_path / "cache"))
    repo("dvc", "exp", "run", "--temp", "-S", "adapter.rank=5")
    repo("dvc", "exp", "run", "--queue", "-S", "adapter.rank=6")
    repo("dvc", "exp", "run", "--run-all")
    shown = json.loads(repo("dvc", "exp", "show", "--json"))
    ended = [e for line in shown for e in line.get("experiments") or []]
    assert len(ended) == 2
