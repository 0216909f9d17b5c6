"""The lineage of versions in a real SQLite store, also after parts were lost."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import mlflow
import pytest
from lineages import LOCK, make_lineage
from tracking_stores import make_store

from graft import io
from graft.config import RegistryConfig
from graft.errors import TrackingError
from graft.registry.lineage import Lineage
from graft.registry.lineage_commits import Commits, CommitState
from graft.registry.lineage_versions import Lineages, VersionLineage
from graft.tracking.versions import Versions

# MLflow 3.17 uses what SQLAlchemy 2.1 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
TAGS = {
    "base": "models/tiny@909630b2d94d4d07",
    "template_hash": "0123456789abcdef",
    "dvc.lock": "00000000000000aa",
}


class History(Commits):
    """A repository in which one commit has the dvc.lock of the version."""

    def state(self, commit: str) -> CommitState:
        return "present" if commit == "c" * 40 else "missing"

    def with_lock(self, digest: str) -> tuple[Mapping[str, Any], list[str]]:
        return (LOCK, ["d" * 40]) if digest == TAGS["dvc.lock"] else ({}, [])


class Store:
    """A store with one model. `lineages` are logged by the run of a version."""

    def __init__(self, root: Path) -> None:
        self.root = root
        uri = make_store(root)
        self.registry = RegistryConfig(
            name="model", experiment="graft", tracking_uri=uri
        )
        self.client: Any = mlflow.MlflowClient(uri, registry_uri=uri)
        self.experiment = self.client.create_experiment(
            "graft", (root / "mlartifacts").as_uri()
        )
        self.client.create_registered_model("model")

    def add(self, *lineages: Lineage, evaluation: str = "e1") -> str:
        """Register a version; returns its run."""
        tags = {"graft.run": "r1", "git.commit": "b" * 40, "git.dirty": "true"}
        run = str(self.client.create_run(self.experiment, tags=tags).info.run_id)
        for lineage in lineages:
            folder = self.root / lineage.evaluation
            name = f"{lineage.evaluation}.json"
            io.write_json(folder / "lineage.json", lineage)
            io.write_json(folder / "evaluations" / name, lineage)
            self.client.log_artifacts(run, str(folder), "lineage")
        tags = TAGS | {"graft.evaluation": f"r1-{evaluation}"}
        source = (self.root / "model").as_uri()
        self.client.create_model_version("model", source, run, tags)
        return run

    def find(self, version: str = "1") -> VersionLineage:
        """The lineage of a version."""
        lineages = Lineages(Versions(self.registry), History(self.root))
        return lineages.find(version)


@pytest.fixture(name="store")
def _store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return Store(tmp_path)


def test_the_document_of_a_version_is_found(store: Store) -> None:
    store.add(make_lineage())
    known = store.find()
    assert known.lineage == make_lineage() and not known.problem
    assert known.has_run and known.commit_state == "present"
    assert known.commits == ["d" * 40]
    document = known.to_json()
    assert document["lineage"]["base"] == "models/tiny"
    assert document["version"]["version"] == "1"


def test_a_run_that_was_evaluated_again_has_the_document_of_each_version(
    store: Store,
) -> None:
    first, second = make_lineage(), make_lineage(evaluation="e2", adapter="2")
    store.add(first, second)
    assert store.find().lineage == first


def test_an_older_version_is_rebuilt_from_tags_and_git(store: Store) -> None:
    store.add()
    known = store.find()
    assert "no artifact lineage/lineage.json" in known.problem and known.has_run
    lineage = known.lineage
    assert (lineage.base, lineage.base_revision) == ("models/tiny", "909630b2d94d4d07")
    assert lineage.commit == "b" * 40 and lineage.changes
    assert lineage.run == "r1" and lineage.evaluation == "e1"
    assert lineage.lock == LOCK and lineage.output("data/splits") is not None


def test_the_document_of_another_evaluation_is_not_taken(store: Store) -> None:
    store.add(make_lineage(evaluation="e2"))
    assert store.find().problem


def test_a_deleted_run_is_named_and_the_tags_of_the_version_remain(
    store: Store,
) -> None:
    store.client.delete_run(store.add(make_lineage()))
    known = store.find()
    assert not known.has_run and "no longer has its run" in known.problem
    assert known.lineage.template_hash == "0123456789abcdef"
    assert known.lineage.lock == LOCK and not known.lineage.commit


def test_a_run_that_the_store_never_had_is_not_an_error(store: Store) -> None:
    store.add(make_lineage())
    assert Versions(store.registry).store.run_tags("0" * 32) is None


def test_a_broken_document_is_named(store: Store) -> None:
    run = store.add(make_lineage())
    (path,) = (store.root / "mlartifacts").rglob("evaluations/e1.json")
    assert run in str(path)
    path.write_text("{", encoding="utf-8")
    known = store.find()
    assert "not valid JSON" in known.problem and known.lineage.lock == LOCK


def test_a_version_that_does_not_exist_is_an_error(store: Store) -> None:
    with pytest.raises(TrackingError, match="no such version"):
        store.find("2")
