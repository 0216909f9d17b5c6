"""Ports of this machine, and servers that begin to listen on them."""

import socket
import subprocess
import time
from pathlib import Path
from typing import Any


def free_port(host: str = "127.0.0.1") -> int:
    """A port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def wait_for_port(
    port: int,
    server: "subprocess.Popen[Any]",
    log: Path | None = None,
    timeout_s: float = 300,
) -> None:
    """Wait until a server, which may write a log, listens on a port.

    Raises:
        AssertionError: the server ended.
        TimeoutError: it does not listen in time.
    """
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        assert server.poll() is None, log.read_text("utf-8") if log else "it ended"
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError(f"no server on port {port} after {timeout_s:.0f} s")
