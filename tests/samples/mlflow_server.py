"""A real MLflow server of a database, on loopback."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ports import free_port, wait_for_port


@contextmanager
def server(folder: Path, store: str, *words: str, **environment: str) -> Iterator[str]:
    """Start a server and wait until it responds; its address.

    Args:
        folder: for artifacts and the log.
        store: address of the database.
        words: further arguments of `mlflow server`.
        environment: further variables of the server.
    """
    port = free_port()
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1"]
    # Of several workers, uvicorn kills those that take 5 s to import MLflow.
    command += ["--port", str(port), "--workers", "1", "--backend-store-uri", store]
    command += ["--artifacts-destination", str(folder / "artifacts"), *words]
    # Eight processes for jobs that graft does not use would each import MLflow.
    environment = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", **environment}
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=os.environ | environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        wait_for_port(port, process, folder / "server.log")
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, 15)
        process.wait()
