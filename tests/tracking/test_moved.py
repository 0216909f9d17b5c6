"""A store that was moved after it was written, under unusual names."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tracking_stores import make_store

from graft import tracking
from graft.config import RegistryConfig
from graft.errors import TrackingError
from graft.tracking.history import History

# MLflow 3.17 uses what SQLAlchemy 2.1 deprecates, and warns of its own guesses.
pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::UserWarning"
)
REGISTRY = RegistryConfig(name="m", experiment="e", tracking_uri="sqlite:///mlflow.db")
NAME = "été #2 100%20? & [more] 'it' \"x\" "
"""Characters with a meaning in an address, a pattern or a shell."""


def run_once(key: str) -> None:
    Path("report.json").write_text(key, encoding="utf-8")
    path = Path(f".graft/{key}.jsonl")
    with tracking.start_run(REGISTRY, path, run_id=key) as run:
        run.log_params({"registry.name": "m"})
        run.log_artifact(Path("report.json"), "reports")
        assert run.wait()


def reports(out: Path) -> set[str]:
    history = History(REGISTRY)
    found = set()
    for run in history.runs():
        folder = history.fetch(run.run_id, "reports", out)
        assert folder is not None
        found.add((folder / "report.json").read_text(encoding="utf-8"))
        shutil.rmtree(folder)
    return found


def test_a_moved_store_finds_its_artifacts_and_stores_new_ones_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    out = tmp_path / "out"
    out.mkdir()
    first, second = tmp_path / "project", tmp_path / NAME
    first.mkdir()
    make_store(first)
    monkeypatch.chdir(first)
    run_once("one")
    first.rename(second)
    monkeypatch.chdir(second)
    assert reports(out) == {"one"}
    run_once("two")
    assert reports(out) == {"one", "two"} and not first.exists()


def test_the_pages_of_a_moved_store_find_its_artifacts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    first, second = tmp_path / "before", tmp_path / "after"
    first.mkdir()
    monkeypatch.chdir(first)
    with pytest.raises(TrackingError, match="no runs yet"):
        tracking.served_address(REGISTRY)
    make_store(first)
    run_once("one")
    first.rename(second)
    monkeypatch.chdir(second)
    address, is_file = tracking.served_address(REGISTRY)
    assert is_file and address == f"sqlite:///{second}/mlflow.db"
    with closing(sqlite3.connect("mlflow.db")) as store:
        ((place,),) = store.execute("SELECT artifact_uri FROM runs").fetchall()
    assert place.startswith((second / "mlartifacts").as_uri())
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://ann:pa55@host")
    assert tracking.served_address(REGISTRY) == ("http://host", False)


def test_a_journal_that_was_moved_finds_its_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    out, first = tmp_path / "out", tmp_path / "first"
    out.mkdir()
    first.mkdir()
    monkeypatch.chdir(first)
    with tracking.start_run(REGISTRY, Path(".graft/k.jsonl"), run_id="k") as run:
        run.log_params({"registry.name": "m"})
        Path("report.json").write_text("late", encoding="utf-8")
        run.log_artifact(Path("report.json"), "reports")
    first.rename(tmp_path / "second")
    make_store(tmp_path / "second")
    monkeypatch.chdir(tmp_path / "second")
    Path("report.json").write_text("a later run's", encoding="utf-8")
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    tracking.replay(Path(".graft/k.jsonl"), REGISTRY)
    assert reports(out) == {"late"}
