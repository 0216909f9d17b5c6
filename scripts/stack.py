"""Run the services of deploy/compose as processes, until Ctrl-C: `make stack`.

PostgreSQL, S3, MLflow with users, Prometheus, Alertmanager, and, as soon as there is a
champion, the API and `graft watch`. All listen on loopback, on free ports. Passwords
are random; clients find them in a file that only its owner can read:
set -a; source .graft/stack/env; set +a
"""

import fcntl
import os
import signal
import sys
import time
from pathlib import Path
from types import FrameType

import yaml

from local_stack import environment, services, stores
from local_stack.processes import Running, Service, end_leftovers

_READY_S = 900.0
_LOOK_S = 0.5
_LONGEST_PAUSE_S = 30.0


class Stack:
    """The services of one folder.

    Args:
        folder: for data, logs and secrets; absolute.

    Attributes:
        running: what was started, in this order.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.running: list[Running] = []
        self._later: list[Service] = []
        self._pauses: dict[str, tuple[float, float]] = {}
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o711)  # PostgreSQL's user passes through
        self._lock = (folder / "lock").open("w")

    def start(self, model: str) -> dict[str, str]:
        """Start the stores, then what uses them; the variables of clients.

        Raises: BlockingIOError if a stack of this folder runs.
        """
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if number := end_leftovers(self.folder):
            print(f"ended {number} processes of a stack that was killed")
        file = self.folder / "secrets"
        known = read(file)
        secret, ports = environment.make_secrets(known), environment.make_ports()
        write(file, secret)
        services.write_secret_files(self.folder, secret)
        stores.prepare_postgres(self.folder, secret)
        stores.prepare_s3(self.folder)
        for service in stores.stores(self.folder, ports, secret):
            self.run(service)
        stores.make_databases(ports, secret)
        stores.make_buckets(ports, secret)
        for service in services.observers(self.folder, ports):
            self.run(service)
        self.run(services.mlflow(ports, secret))
        self._later = services.clients(self.folder, ports, secret, model)
        variables = environment.to_environment(ports, secret)
        write(self.folder / "env", variables)
        return variables

    def keep(self) -> None:
        """Start again what has ended, and start what has become wanted."""
        now = time.monotonic()
        for one in self.running:
            if one.has_ended:
                pause, due = self._pauses.get(one.service.name, (1.0, 0.0))
                if not due:
                    print(f"{one.service.name} ended; see {one.log}", flush=True)
                    due = now + pause
                if now >= due:
                    self._replace(one)
                    pause, due = min(2 * pause, _LONGEST_PAUSE_S), 0.0
                self._pauses[one.service.name] = pause, due
        for service in [one for one in self._later if one.is_wanted()]:
            self._later.remove(service)
            self.running.append(Running(service, self.folder))
            print(f"{service.name}: http://127.0.0.1:{service.port}", flush=True)

    def end(self) -> None:
        """End all, the stores last."""
        for one in reversed(self.running):
            one.end()
        self.running.clear()
        (self.folder / "env").unlink(missing_ok=True)
        self._lock.close()

    def run(self, service: Service) -> None:
        """Start a service, and wait until it listens.

        Raises: RuntimeError if it ends or does not become ready.
        """
        running = Running(service, self.folder)
        self.running.append(running)
        end = time.monotonic() + _READY_S
        while not running.is_ready:
            if running.has_ended or time.monotonic() > end:
                raise RuntimeError(f"{service.name} did not start; see {running.log}")
            time.sleep(0.05)

    def _replace(self, ended: Running) -> None:
        ended.end()  # its children may live, and hold its port
        self.running[self.running.index(ended)] = Running(ended.service, self.folder)


def read(file: Path) -> dict[str, str]:
    """Values by name of a file that `write` wrote; none if there is no file."""
    lines = file.read_text("utf-8").splitlines() if file.is_file() else []
    return dict(line.split("=", 1) for line in lines)


def write(file: Path, values: dict[str, str]) -> None:
    """A line NAME=VALUE for each, in a file that only its owner can read."""
    partial = file.with_suffix(".partial")
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as out:
        out.writelines(f"{name}={value}\n" for name, value in values.items())
    partial.replace(file)


def main(folder: Path) -> None:
    """Run until SIGINT or SIGTERM."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    params = yaml.safe_load((environment.ROOT / "params.yaml").read_text("utf-8"))
    stack = Stack(folder.absolute())
    try:
        variables = stack.start(params["registry"]["name"])
        for name in ("MLFLOW_TRACKING_URI", "AWS_ENDPOINT_URL_S3"):
            print(f"{name}={variables[name]}")
        print("the API starts when there is a champion: graft promote")
        print(
            f"ready; for clients: set -a; source {stack.folder / 'env'}; set +a",
            flush=True,
        )
        while True:
            stack.keep()
            time.sleep(_LOOK_S)
    except BlockingIOError:
        sys.exit(f"error: a stack runs in {folder}")
    except KeyboardInterrupt:
        print("ending")
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)  # it ends already
        stack.end()


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else ".graft/stack"))
