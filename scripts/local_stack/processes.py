"""Processes that end with this one, and what is left of an earlier one."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

MARK = "GRAFT_STACK"
"""Variable of every process: the folder of its stack."""
_ENDING_S = 40.0
"""Longer than serving.drain_s."""


@dataclass(frozen=True)
class Service:
    """A program that runs until it is ended.

    Attributes:
        name: also of its log.
        command: program and arguments.
        port: on which it listens when it is ready.
        environment: further variables.
        signal: ends it.
        user: account that runs it, if this process is root's.
        is_wanted: whether it should run now.
    """

    name: str
    command: Sequence[str]
    port: int
    environment: Mapping[str, str] = field(default_factory=dict)
    signal: int = signal.SIGTERM
    user: str | None = None
    is_wanted: Callable[[], bool] = lambda: True


class Running:
    """A service in a session of its own; its output is appended to a log."""

    def __init__(self, service: Service, folder: Path) -> None:
        self.service = service
        self.log = folder / "logs" / f"{service.name}.log"
        self.log.parent.mkdir(parents=True, exist_ok=True)
        environment = {**os.environ, **service.environment, MARK: str(folder)}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(  # pylint: disable=consider-using-with
                [*as_user(service.user), *service.command],
                cwd=Path.cwd() if service.user is None else "/",
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    @property
    def is_ready(self) -> bool:
        """Whether somebody listens on its port."""
        return listens(self.service.port)

    @property
    def has_ended(self) -> bool:
        """Whether its first process has ended."""
        return self.process.poll() is not None

    def end(self) -> None:
        """End it and its children: first by its signal, after a time by force."""
        self._signal(self.service.signal)
        try:
            self.process.wait(_ENDING_S)
        except subprocess.TimeoutExpired:
            pass
        self._signal(signal.SIGKILL)
        self.process.wait()

    def _signal(self, number: int) -> None:
        try:
            os.killpg(self.process.pid, number)
        except ProcessLookupError:
            pass


def as_user(user: str | None) -> list[str]:
    """Words before a command: it ends with its parent, and runs as another user if
    this process is root's."""
    words = ["setpriv", "--pdeathsig", "TERM"]
    if user is not None and os.geteuid() == 0:
        words += ["--reuid", user, "--regid", user, "--clear-groups"]
    return [*words, "--"]


def listens(port: int) -> bool:
    """Whether somebody listens on a port of this machine."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_ports(number: int) -> list[int]:
    """Ports of this machine that are free now."""
    probes = [socket.socket() for _ in range(number)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]
    finally:
        for probe in probes:
            probe.close()


def end_leftovers(folder: Path, timeout_s: float = _ENDING_S) -> int:
    """End the processes of an earlier stack of this folder, which was killed; returns
    their number."""
    found = leftovers(folder)
    for number in (signal.SIGTERM, signal.SIGKILL):
        end = time.monotonic() + timeout_s
        for pid in leftovers(folder):
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass
        while leftovers(folder) and time.monotonic() < end:
            time.sleep(0.05)
    return len(found)


def leftovers(folder: Path) -> list[int]:
    """Processes with the mark of this folder in their environment."""
    mark = f"{MARK}={folder}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            if mark in (entry / "environ").read_bytes().split(b"\0"):
                found.append(int(entry.name))
        except OSError:  # it has ended, or is another user's
            continue
    return found
