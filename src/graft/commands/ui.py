"""`graft ui`: MLflow's pages of the tracking store."""

import os
import sys

from graft import tracking
from graft.config import RegistryConfig


def run(registry: RegistryConfig, *, port: int = 5000) -> None:
    """Show runs and registry in a browser, also those of a repository that was moved.

    Serves a store in a file with MLflow until it is interrupted; prints the address of
    a tracking server.

    Args:
        port: local port, for a store in a file.
    """
    address, is_file = tracking.served_address(registry)
    if not is_file:
        print(address)
        return
    sys.stdout.flush()
    words = ["mlflow", "ui", "--backend-store-uri", address, "--port", str(port)]
    os.execv(sys.executable, [sys.executable, "-m", *words])
