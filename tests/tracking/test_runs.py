"""Runs in a real MLflow store: a SQLite file, or an address without a server."""

import os
import socket
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from echo_model import ECHO_MODEL

from graft import tracking
from graft.config import RegistryConfig
from graft.errors import TrackingError
from graft.tracking.journal import Journal
from graft.tracking.versions import Versions

# MLflow 3.17 uses what SQLAlchemy 2.1 deprecates, and warns of its own guesses.
pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::UserWarning"
)
MakeRun = Callable[..., tracking.Run]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One store for all tests here: creating its tables takes seconds."""
    return tmp_path_factory.mktemp("store")


@pytest.fixture
def registry(
    folder: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> RegistryConfig:
    """An experiment and a model name for each test."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    name = request.node.name.partition("[")[0][:60]
    uri = f"sqlite:///{folder}/mlflow.db"
    return RegistryConfig(name=name, experiment=name, tracking_uri=uri)


@pytest.fixture
def adapter(tmp_path: Path) -> Path:
    """An output folder of the train stage, and the served code beside it."""
    made = tmp_path / "adapter"
    made.mkdir()
    (made / "adapter_model.safetensors").write_bytes(b"weights")
    (tmp_path / "served.py").write_text(ECHO_MODEL)
    return made


def log_all(run: tracking.Run, registry: RegistryConfig, adapter: Path) -> str | None:
    """Log one of everything."""
    report = adapter.parent / "report.json"
    report.write_text("{}")
    run.log_params({"train.seed": 1, "generation.stop": ["\n"]})
    run.set_tags({"template_hash": "abc"})
    run.log_dataset("pairs-train", adapter, "d1", "train")
    for step in (10, 20):
        run.log_metrics({"train/loss": 1 / step}, step)
    run.log_artifact(report, "reports")
    return tracking.register_adapter(
        run,
        registry,
        adapter,
        code=adapter.parent / "served.py",
        settings={},
        tags={"base": "b"},
    )


def runs_of(registry: RegistryConfig) -> list[Any]:
    """All runs of the experiment."""
    import mlflow

    mlflow.set_tracking_uri(registry.tracking_uri)
    found = mlflow.search_runs(
        experiment_names=[registry.experiment], output_format="list"
    )
    return list(found)


def check_complete(registry: RegistryConfig, run: tracking.Run) -> str:
    """One run has all that `log_all` logged; returns its id."""
    import mlflow

    client = mlflow.MlflowClient(registry.tracking_uri, registry.tracking_uri)
    (found,) = runs_of(registry)
    run_id = str(found.info.run_id)
    assert found.info.status == "FINISHED"
    assert found.data.params == {"train.seed": "1", "generation.stop": "['\\n']"}
    assert found.data.tags["graft.run"] == run.run_id
    assert found.data.tags["template_hash"] == "abc"
    history = client.get_metric_history(run_id, "train/loss")
    assert [(m.step, m.value) for m in history] == [(10, 0.1), (20, 0.05)]
    events = Journal(run.journal).of_kind("metrics")
    assert [m.timestamp for m in history] == [event.time_ms for event in events]
    (data,) = found.inputs.dataset_inputs
    assert (data.dataset.name, data.dataset.digest) == ("pairs-train", "d1")
    (report,) = client.list_artifacts(run_id, "reports")
    assert report.path == "reports/report.json"
    (version,) = client.search_model_versions(f"name = '{registry.name}'")
    assert version.run_id == run_id and version.tags["base"] == "b"
    return run_id


def free_port() -> int:
    """A port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


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


def test_a_store_that_is_down_loses_nothing(
    registry: RegistryConfig,
    adapter: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    down = f"http://ann:pa55@127.0.0.1:{free_port()}"
    away = registry.model_copy(update={"tracking_uri": down})
    with tracking.start_run(away, tmp_path / "run.jsonl") as run:
        assert log_all(run, away, adapter) is None
    warning = capsys.readouterr().err
    assert "not all of this run was logged" in warning and "pa55" not in warning
    assert f"graft log {tmp_path / 'run.jsonl'}" in warning
    with pytest.raises(TrackingError, match="sending failed"):
        tracking.replay(tmp_path / "run.jsonl", away)
    # A later run may overwrite the files that were to be sent.
    (tmp_path / "report.json").unlink()
    (adapter / "adapter_model.safetensors").unlink()

    assert tracking.replay(tmp_path / "run.jsonl", registry) > 5
    run_id = check_complete(registry, run)
    assert tracking.replay(tmp_path / "run.jsonl", registry) == 0
    (tmp_path / "run.sent.json").unlink()  # as if killed before it was recorded
    assert tracking.replay(tmp_path / "run.jsonl", registry) > 5
    assert check_complete(registry, run) == run_id


class Stranger(BaseHTTPRequestHandler):
    """A web server that is not MLflow."""

    def do_GET(self) -> None:  # pylint: disable=invalid-name
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<html>hello</html>")

    def log_message(self, format: str, *args: Any) -> None:
        """Be silent."""


@pytest.fixture
def stranger() -> Iterator[str]:
    """The address of a web server that is not MLflow."""
    server = HTTPServer(("127.0.0.1", 0), Stranger)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_wrong_address_does_not_stop_a_run(
    registry: RegistryConfig,
    tmp_path: Path,
    stranger: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "file").write_text("")
    inside_a_file = f"sqlite:///{tmp_path}/file/mlflow.db"
    for number, uri in enumerate((stranger, "htp://nowhere", inside_a_file)):
        wrong = registry.model_copy(update={"tracking_uri": uri})
        with tracking.start_run(wrong, tmp_path / f"{number}.jsonl") as run:
            run.log_params({"seed": 1})
            assert not run.wait()
        warning = capsys.readouterr().err
        assert warning.startswith(f"warning: {uri}: not all of this run was logged")
        assert "Traceback" not in warning and f"graft log {tmp_path}" in warning


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
