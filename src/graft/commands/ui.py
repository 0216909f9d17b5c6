"""`graft ui`: MLflow's web pages of the tracking store."""

import os
import sys

from graft import tracking
from graft.config import RegistryConfig


def run(registry: RegistryConfig, *, port: int = 5000) -> None:
    """Show runs and registered models in MLflow's web pages.

    If the tracking store is a local database, this command serves it until it is
    interrupted, also after the repository was moved. If it is a tracking server, this
    command only prints the address.

    Args:
        port: local port to serve a local database on.
    """
    address, is_file = tracking.served_address(registry)
    if not is_file:
        print(address)
        return
    sys.stdout.flush()
    # Otherwise MLflow starts eight processes, for jobs that graft does not use.
    os.environ.setdefault("MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "false")
    command = ["mlflow", "ui", "--backend-store-uri", address, "--port", str(port)]
    os.execv(sys.executable, [sys.executable, "-m", *command])
