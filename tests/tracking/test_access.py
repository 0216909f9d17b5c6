"""A store that accepts no runs is reported before anything is computed."""

import sqlite3
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from graft import tracking
from graft.config import RegistryConfig
from graft.errors import TrackingError

# MLflow 3.17 uses functions that SQLAlchemy 2.1 deprecates, and warns of type hints.
pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::UserWarning"
)


class Answers(BaseHTTPRequestHandler):
    """A server that responds to every request with the same status."""

    status = 403

    def do_GET(self) -> None:  # pylint: disable=invalid-name
        """The status, and nothing else."""
        self.send_response(self.status)
        self.end_headers()

    do_POST = do_GET  # pylint: disable=invalid-name

    def log_message(self, format: str, *args: Any) -> None:
        """Be silent."""


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Iterator[str]:
    kind = type("Kind", (Answers,), {"status": request.param})
    made = HTTPServer(("127.0.0.1", 0), kind)
    threading.Thread(target=made.serve_forever).start()
    yield f"http://ann:pa55@127.0.0.1:{made.server_port}"
    made.shutdown()
    made.server_close()


@pytest.fixture(autouse=True)
def in_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.chdir(tmp_path)


def check(uri: str, experiment: str = "e") -> None:
    tracking.check_store(
        RegistryConfig(name="m", experiment=experiment, tracking_uri=uri)
    )


@pytest.mark.parametrize("server", [401, 403, 404], indirect=True)
def test_a_server_that_refuses_is_refused_without_its_password(
    server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server)
    with pytest.raises(TrackingError, match="rejects this run") as raised:
        check("sqlite:///mlflow.db")
    assert "pa55" not in str(raised.value)


def test_a_server_that_is_down_is_a_warning(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://ann:pa55@127.0.0.1:9")
    check("sqlite:///mlflow.db")
    warning = capsys.readouterr().err
    assert "http://127.0.0.1:9: the tracking store does not respond" in warning
    assert "graft log" in warning and "pa55" not in warning


@pytest.mark.parametrize(
    ("uri", "problem"),
    [
        ("./mlruns", "no longer stores runs in folders"),
        ("file:///mlruns", "no longer stores runs in folders"),
        ("nosuch://host", "rejects this run"),
    ],
)
def test_an_address_of_another_kind_is_refused(uri: str, problem: str) -> None:
    with pytest.raises(TrackingError, match=problem):
        check(uri)


def test_a_file_that_cannot_be_a_store_is_refused(tmp_path: Path) -> None:
    check("sqlite:///deep/new/mlflow.db")
    (tmp_path / "folder").mkdir()
    (tmp_path / "text").write_text("no database, but longer than its header" * 9)
    for name in ("folder", "text", "text/mlflow.db"):
        with pytest.raises(TrackingError, match="unusable as tracking store"):
            check(f"sqlite:///{name}")


def test_a_deleted_experiment_is_refused_with_the_way_to_restore_it(
    tmp_path: Path,
) -> None:
    store = sqlite3.connect(tmp_path / "a.db")
    store.execute("CREATE TABLE experiments (experiment_id, name, lifecycle_stage)")
    store.execute("INSERT INTO experiments VALUES (7, 'gone', 'deleted')")
    store.execute("INSERT INTO experiments VALUES (8, 'there', 'active')")
    store.commit()
    store.close()
    check("sqlite:///a.db", "there")
    check("sqlite:///a.db", "new")
    with pytest.raises(TrackingError, match="mlflow experiments restore -x 7"):
        check("sqlite:///a.db", "gone")
