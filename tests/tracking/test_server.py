"""A real tracking server that is killed during a run."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from ports import free_port, wait_for_port

from graft import tracking
from graft.config import RegistryConfig

# MLflow 3.17 uses what SQLAlchemy 2.1 deprecates.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning"),
]


class Server:
    """An MLflow server for a folder, which can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self._port = free_port()
        self._folder = folder
        self.uri = f"http://127.0.0.1:{self._port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it responds."""
        words = ["--host", "127.0.0.1", "--port", str(self._port), "--workers", "1"]
        words += ["--backend-store-uri", f"sqlite:///{self._folder}/server.db"]
        words += ["--artifacts-destination", str(self._folder / "artifacts")]
        self._process = subprocess.Popen(  # pylint: disable=consider-using-with
            [sys.executable, "-m", "mlflow", "server", *words],
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        wait_for_port(self._port, self._process)

    def kill(self) -> None:
        """Kill it and its workers."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None


def test_a_run_outlives_its_server_and_is_completed_later(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    import mlflow

    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    server = Server(tmp_path)
    registry = RegistryConfig(name="m", experiment="e", tracking_uri=server.uri)
    journal = tmp_path / "run.jsonl"
    report = tmp_path / "report.json"
    report.write_text("{}")
    try:
        server.start()
        with tracking.start_run(registry, journal) as run:
            run.log_params({"seed": 1})
            run.log_metrics({"loss": 1.0}, 1)
            assert run.wait()
            client = mlflow.MlflowClient(server.uri)
            (before,) = client.search_runs(
                [client.get_experiment_by_name("e").experiment_id]
            )
            address = f"{server.uri}/#/experiments/0/runs/{before.info.run_id}"
            assert run.links() == {"MLflow run": address}
            server.kill()
            began = time.monotonic()
            for step in range(2, 50):
                run.log_metrics({"loss": 1 / step}, step)
            run.log_artifact(report, "reports")
            assert time.monotonic() - began < 2  # no call waits for the server
        assert f"graft log {journal}" in capsys.readouterr().err

        server.start()
        assert tracking.replay(journal, registry) > 0
        (after,) = client.search_runs([before.info.experiment_id])
        assert after.info.run_id == before.info.run_id
        assert after.info.status == "FINISHED"
        history = client.get_metric_history(after.info.run_id, "loss")
        assert [m.step for m in history] == list(range(1, 50))
        (found,) = client.list_artifacts(after.info.run_id, "reports")
        assert found.path == "reports/report.json"
        assert tracking.replay(journal, registry) == 0
    finally:
        server.kill()
