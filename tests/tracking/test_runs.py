"""Runs in a real MLflow store, a SQLite file."""

import os
from pathlib import Path

import pytest
from complete_runs import check_complete, log_all, runs_of

from graft import tracking
from graft.config import RegistryConfig
from graft.errors import TrackingError
from graft.tracking.journal import Journal
from graft.tracking.versions import Versions

# MLflow 3.17 uses what SQLAlchemy 2.1 deprecates, and warns of its own guesses.
pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::UserWarning"
)


def test_everything_logged_arrives_and_the_latest_version_is_challenger(
    registry: RegistryConfig, adapter: Path, tmp_path: Path
) -> None:
    import mlflow

    with tracking.start_run(registry, tmp_path / "run.jsonl") as run:
        assert log_all(run, registry, adapter) == "1"
    check_complete(registry, run)
    with tracking.start_run(registry, tmp_path / "second.jsonl") as second:
        assert log_all(second, registry, adapter) == "2"
    client = mlflow.MlflowClient(registry.tracking_uri, registry.tracking_uri)
    aliases = client.get_registered_model(registry.name).aliases
    assert aliases == {"challenger": 2}
    place = mlflow.artifacts.download_artifacts(f"models:/{registry.name}@challenger")
    weights = [path.name for path in Path(place).rglob("*.safetensors")]
    assert weights == ["adapter_model.safetensors"]


def test_a_repeated_evaluation_is_one_version_and_a_failed_one_has_no_alias(
    registry: RegistryConfig, adapter: Path, tmp_path: Path
) -> None:
    import mlflow

    def register(status: str, evaluation: str, *aliases: str) -> str | None:
        with tracking.start_run(registry, tmp_path / "run.jsonl", run_id="k") as run:
            return tracking.register_adapter(
                run,
                registry,
                adapter,
                code=adapter.parent / "served.py",
                settings={},
                tags={"requirements": status},
                evaluation=evaluation,
                aliases=aliases,
            )

    def state() -> list[tuple[str, list[str]]]:
        client = mlflow.MlflowClient(registry.tracking_uri, registry.tracking_uri)
        found = client.search_model_versions(f"name = '{registry.name}'")
        held = client.get_registered_model(registry.name).aliases.items()
        return [
            (v.tags["requirements"], sorted(a for a, n in held if int(n) == v.version))
            for v in sorted(found, key=lambda version: int(version.version))
        ]

    assert register("failed", "one") == "1" and state() == [("failed", [])]
    assert register("failed", "one") == "1" and state() == [("failed", [])]
    assert register("none", "one", "challenger") == "1"
    assert state() == [("none", ["challenger"])]
    assert register("passed", "two", "challenger") == "2"
    assert state() == [("none", []), ("passed", ["challenger"])]
    assert register("failed", "two") == "2"
    assert state() == [("none", []), ("failed", [])]
    Versions(registry).set_alias("champion", "1")
    assert register("failed", "one") == "1"  # only a decision takes it back
    assert state() == [("failed", ["champion"]), ("failed", [])]


def test_a_killed_run_continues_and_logs_no_step_twice(
    registry: RegistryConfig, tmp_path: Path
) -> None:
    import mlflow

    path = tmp_path / "run.jsonl"
    killed = tracking.start_run(registry, path)
    killed.log_metrics({"loss": 1.0}, 1)
    killed.log_metrics({"loss": 2.0}, 2)
    with tracking.start_run(registry, path) as again:
        again.log_params({"seed": 1, "alpha": 2})
        for step in (2, 3):
            again.log_metrics({"loss": 9.0}, step)
    assert again.run_id == killed.run_id
    with tracking.start_run(registry, path) as third:
        third.log_params({"seed": 5})
    (found,) = runs_of(registry)
    assert found.info.status == "FINISHED"
    assert found.data.params == {"seed": "1", "alpha": "2"}
    assert found.data.tags["later/seed"] == "5"
    client = mlflow.MlflowClient(registry.tracking_uri)
    history = client.get_metric_history(found.info.run_id, "loss")
    assert [(m.step, m.value) for m in history] == [(1, 1.0), (2, 2.0), (3, 9.0)]


def test_a_missing_journal_is_a_tracking_error(
    registry: RegistryConfig, tmp_path: Path
) -> None:
    with pytest.raises(TrackingError, match="no journal of a run"):
        tracking.replay(tmp_path / "none" / "run.jsonl", registry)
    assert not (tmp_path / "none").exists()


def test_the_environment_is_left_as_it_was(
    registry: RegistryConfig, tmp_path: Path
) -> None:
    before = dict(os.environ)
    with tracking.start_run(registry, tmp_path / "run.jsonl") as run:
        assert run.wait()
    new = {name for name in os.environ if os.environ[name] != before.get(name)}
    assert not new & {"MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI"}


@pytest.mark.parametrize(
    ("error", "status"), [(KeyboardInterrupt, "KILLED"), (ValueError, "FAILED")]
)
def test_a_run_ends_as_its_block_does(
    registry: RegistryConfig,
    tmp_path: Path,
    error: type[BaseException],
    status: str,
) -> None:
    path = tmp_path / "run.jsonl"
    with pytest.raises(error), tracking.start_run(registry, path):
        raise error
    assert Journal(path).events[-1].values == {"status": status}
