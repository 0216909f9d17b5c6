"""Runs and experiments that a user deleted or renamed in the store."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from echo_model import ECHO_MODEL
from tracking_stores import make_store

from graft import tracking
from graft.config import RegistryConfig

# MLflow 3.17 uses what SQLAlchemy 2.1 deprecates, and warns of its own guesses.
pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::UserWarning"
)
Go = Callable[..., str | None]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    """One store for all tests here."""
    return make_store(tmp_path_factory.mktemp("store"))


@pytest.fixture
def client(store: str) -> Any:
    import mlflow

    return mlflow.MlflowClient(store, store)


@pytest.fixture
def evaluate(
    store: str,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> Go:
    """Starts or continues a run, and registers its evaluations."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    name = request.node.name[:60]
    registry = RegistryConfig(name=name, experiment=name, tracking_uri=store)
    adapter, code = tmp_path / "adapter", tmp_path / "served.py"
    adapter.mkdir()
    (adapter / "adapter_model.safetensors").write_bytes(b"weights")
    code.write_text(ECHO_MODEL)

    def make(key: str, *evaluations: str) -> str | None:
        version = None
        path = tmp_path / f"{key}.jsonl"
        with tracking.start_run(registry, path, run_id=f"{name}-{key}") as run:
            run.log_metrics({"times": len(evaluations)})
            for one in evaluations:
                version = tracking.register_adapter(
                    run,
                    registry,
                    adapter,
                    code=code,
                    settings={},
                    tags={},
                    evaluation=one,
                )
            assert run.wait()
        return version

    return make


def runs(client: Any, *experiments: str) -> list[Any]:
    ids = [client.get_experiment_by_name(name).experiment_id for name in experiments]
    return list(client.search_runs(ids))


def test_a_deleted_run_does_not_register_its_version_again(
    evaluate: Go, client: Any, request: pytest.FixtureRequest
) -> None:
    name = request.node.name[:60]
    assert evaluate("one", "first") == "1"
    (run,) = runs(client, name)
    client.delete_run(run.info.run_id)
    assert evaluate("one", "second") == "2"
    (other,) = runs(client, name)
    assert other.info.run_id != run.info.run_id and other.info.status == "FINISHED"
    versions = client.search_model_versions(f"name = '{name}'")
    assert {v.version: v.run_id for v in versions} == {
        1: run.info.run_id,
        2: other.info.run_id,
    }


def test_a_run_continues_after_its_experiment_was_renamed(
    evaluate: Go, client: Any, request: pytest.FixtureRequest
) -> None:
    name = request.node.name[:60]
    assert evaluate("one", "first") == "1"
    (run,) = runs(client, name)
    client.rename_experiment(run.info.experiment_id, "renamed")
    assert evaluate("one", "first") == "1"
    assert evaluate("two", "first") == "2"  # makes an experiment of the former name
    assert evaluate("one", "first", "second") == "3"
    assert len(runs(client, name, "renamed")) == 2
    (found,) = runs(client, "renamed")
    history = client.get_metric_history(found.info.run_id, "times")
    assert [point.value for point in history] == [1, 1, 2]
