"""A Ray cluster of several nodes on this machine, whose nodes can be killed."""

import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

RAY = str(Path(sys.executable).with_name("ray"))
HEAD = "127.0.0.10"
PATIENCE_S = 180


class Node:
    """The processes of one node, with an address of their own.

    Args:
        arguments: of `ray start`.
        hidden: a folder that they do not see, as on a machine that does not have it.
    """

    def __init__(self, *arguments: str, hidden: Path | None = None) -> None:
        command = [RAY, "start", "--block", "--disable-usage-stats", *arguments]
        if hidden:
            hide = 'mount -t tmpfs tmpfs "$0" && exec "$@"'
            command = ["unshare", "--mount", "sh", "-c", hide, str(hidden), *command]
        environment = os.environ | {"RAY_NUM_REDIS_GET_RETRIES": "90"}
        self._main = subprocess.Popen(  # pylint: disable=consider-using-with
            command, stdout=-1, stderr=-2, text=True, env=environment
        )

    def has_started(self) -> bool:
        """Wait until it has started, or ended because it could not."""
        assert self._main.stdout is not None
        started = any("Ray runtime started" in line for line in self._main.stdout)
        if not started:
            self.kill()
        return started

    def kill(self) -> None:
        """Kill all of its processes at once, as a machine that loses its power."""
        for process in self._processes():
            process.kill()
        with self._main:
            pass  # closes its output, and waits

    def _processes(self) -> list[psutil.Process]:
        try:
            main = psutil.Process(self._main.pid)
            return [main, *main.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []


class Cluster:
    """A head without cores, to which drivers connect, and nodes of one core each.

    Args:
        hidden: a folder that the nodes do not see, unlike the drivers.
    """

    def __init__(self, hidden: Path) -> None:
        os.environ.setdefault("RAY_AUTH_MODE", "token")
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
        self.address = f"{HEAD}:{free_port(HEAD)}"
        port = self.address.rsplit(":", maxsplit=1)[-1]
        own = (f"--node-ip-address={HEAD}", f"--port={port}", "--num-cpus=0")
        self.head = _start("--head", *own, "--include-dashboard=false")
        self.nodes: list[Node] = []
        self._hidden, self._started = hidden, 0

    def add(self) -> Node:
        """Start a node."""
        self._started += 1
        own = f"--node-ip-address=127.0.0.{10 + self._started}"
        arguments = (f"--address={self.address}", own, "--num-cpus=1")
        node = _start(*arguments, hidden=self._hidden)
        self.nodes.append(node)
        return node


def _start(*arguments: str, hidden: Path | None = None) -> Node:
    """A node that has started. On a busy machine Ray gives up after 15 s, so that
    several attempts may be needed."""
    for _ in range(5):
        node = Node(*arguments, hidden=hidden)
        if node.has_started():
            return node
    raise AssertionError("Ray does not start: see /tmp/ray/session_latest/logs")


@contextmanager
def started(num_nodes: int, hidden: Path) -> Iterator[Cluster]:
    """A cluster, which ends with the block; `hidden` is as of `Cluster`."""
    if subprocess.run(["unshare", "--mount", "true"], check=False).returncode:
        pytest.skip("namespaces are not allowed here")
    cluster = Cluster(hidden)
    try:
        for _ in range(num_nodes):
            cluster.add()
        yield cluster
    finally:
        for node in (*cluster.nodes, cluster.head):
            node.kill()


def free_port(host: str) -> int:
    """A port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
    return port


def wait_until(seen: Path, count: int) -> None:
    """Wait until a folder has so many files."""
    limit = time.monotonic() + PATIENCE_S
    while len(list(seen.iterdir())) < count:
        assert time.monotonic() < limit
        time.sleep(0.05)
