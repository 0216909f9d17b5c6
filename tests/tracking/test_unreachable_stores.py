"""Runs whose store is down, or at an address without a store."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from complete_runs import check_complete, log_all
from ports import free_port

from graft import tracking
from graft.config import RegistryConfig
from graft.errors import TrackingError

# MLflow 3.17 uses what SQLAlchemy 2.1 deprecates, and warns of its own guesses.
pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::UserWarning"
)


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
