"""Values that a store never accepts are refused early, and block nothing."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from tracking_stores import make_store

from graft import tracking
from graft.config import RegistryConfig
from graft.config.params import Params, check_params
from graft.config.secrets import without_secret
from graft.errors import ConfigError, TrackingError

# MLflow 3.17 uses what SQLAlchemy 2.1 deprecates, and warns of its own guesses.
pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::UserWarning"
)
REGISTRY = RegistryConfig(name="m", experiment="e", tracking_uri="sqlite:///mlflow.db")


class Forbids(BaseHTTPRequestHandler):
    """A server at which the user has no permissions."""

    def do_GET(self) -> None:  # pylint: disable=invalid-name
        self.send_response(403)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Be silent."""


@pytest.fixture
def forbidding() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Forbids)
    threading.Thread(target=server.serve_forever).start()
    yield f"http://ann:pa@55@127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.mark.parametrize(
    "name", ["team/m", "a:b", "", " m", "m\n", "it's", "m@champion", "x" * 300, "50%"]
)
def test_names_that_mlflow_rejects_are_configuration_errors(
    name: str,
) -> None:
    with pytest.raises(ValidationError):
        RegistryConfig(name=name, experiment="e", tracking_uri="sqlite:///mlflow.db")


def test_missing_permissions_stop_the_run_at_its_start(
    forbidding: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", forbidding)
    with pytest.raises(TrackingError, match="rejects this run") as raised:
        with tracking.start_run(REGISTRY, tmp_path / "run.jsonl") as run:
            run.wait()
            run.log_metrics({"loss": 1.0}, 1)
    assert "pa@55" not in str(raised.value) and "55@" not in str(raised.value)


def test_a_rejected_event_does_not_block_the_following_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import mlflow

    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.chdir(tmp_path)
    make_store(tmp_path)
    with tracking.start_run(REGISTRY, Path("run.jsonl")) as run:
        run.log_dataset("d", Path("d"), "MLflow takes no digest as long as this", "c")
        run.set_tags({"after": "it"})
    assert "rejected dataset" in capsys.readouterr().err
    assert tracking.replay(Path("run.jsonl"), REGISTRY) == 0
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path}/mlflow.db")
    (found,) = mlflow.search_runs(experiment_names=["e"], output_format="list")
    assert found.data.tags["after"] == "it"

    client = mlflow.MlflowClient()
    client.delete_experiment(found.info.experiment_id)
    with pytest.raises(TrackingError, match="was deleted"):
        with tracking.start_run(REGISTRY, Path("second.jsonl")) as second:
            second.wait()
            second.log_metrics({"loss": 1.0}, 1)


@pytest.mark.parametrize(
    "uri",
    [
        "http://ann:pa55@host:5000",
        "https://t0ken@host",
        "postgresql://ann:pa55@host/mlflow",
        "postgresql://host/mlflow?user=ann&password=pa55",
    ],
)
def test_a_password_in_the_configuration_is_refused_and_not_shown(
    uri: str, params: Params
) -> None:
    values = params.to_plain()
    values["registry"]["tracking_uri"] = uri
    with pytest.raises(ConfigError) as raised:
        check_params(values, "params.yaml")
    message = str(raised.value)
    assert "registry.tracking_uri: contains a user, password or token" in message
    assert "MLFLOW_TRACKING_PASSWORD" in message
    assert not any(secret in message for secret in ("pa55", "t0ken"))


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("http://alice:pass@w0rd@h:1/a", "http://h:1/a"),
        ("no 'https://a:b@c/d' for x@y", "no 'https://c/d' for x@y"),
        ("http://h:5000/a@b", "http://h:5000/a@b"),
        ("postgresql://u:p@h/d?password=z&x=1", "postgresql://h/d?password=***&x=1"),
    ],
)
def test_addresses_are_shown_without_their_secrets(text: str, plain: str) -> None:
    assert without_secret(text) == plain == without_secret(plain)
