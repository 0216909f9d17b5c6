"""The Ray engine: workers of a cluster, or processes of this machine.

Ray schedules, passes batches through shared memory, and retries the work of workers
that died. `in_order` limits the batches in flight, since the order of rows must be
kept.
"""

import os
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import graft
from graft.engine.ordered import Item, Result, in_order
from graft.errors import ConfigError, GraftError, HardwareError
from graft.records import shorten

MAX_RETRIES = 3
"""Number of times that a batch is given to another worker after a worker died."""
PATIENCE_S = 30.0
"""Seconds for a cluster to answer; Ray itself would wait for minutes."""
LOOPBACK = "127.0.0.2" if sys.platform == "linux" else "127.0.0.1"
"""On Linux Ray replaces 127.0.0.1 by the machine's external address."""
ONE_THREAD = {"POLARS_MAX_THREADS": "1", "RAYON_NUM_THREADS": "1"}
"""There is one worker per core, so each uses one thread."""


class RayEngine:
    """Workers of the cluster that this process is connected to."""

    def map(
        self, work: Callable[[Item], Result], items: Iterable[Item]
    ) -> Iterator[Result]:
        """As of `graft.engine.local.Engine`. The work is sent to each node once.

        Raises: the errors of the work; HardwareError if its workers die repeatedly.
        """
        import ray

        run = ray.remote(num_cpus=1, max_retries=MAX_RETRIES)(_run)
        sent = ray.put(work)

        def submit(item: Item) -> Callable[[], Result]:
            reference = run.remote(sent, item)
            return lambda: _take(reference)

        num_workers = max(int(ray.cluster_resources().get("CPU", 1)), 1)
        return in_order(submit, items, num_workers)


@dataclass(frozen=True)
class _ErrorValue:
    """A GraftError as a value, since Ray would wrap the exception in a long
    traceback."""

    kind: type[GraftError]
    parts: tuple[str, ...]

    def to_error(self) -> GraftError:
        """The error."""
        where, problem, expected, fix = self.parts
        return self.kind(where, problem, expected=expected, fix=fix)


def _run(work: Callable[[Item], Result], item: Item) -> Result | _ErrorValue:
    try:
        return work(item)
    except GraftError as error:
        return _ErrorValue(type(error), error.args)


def _take(reference: Any) -> Any:
    """Wait for a result. Raises: as of `RayEngine.map`."""
    import ray

    try:
        found = ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        raise error.cause from error
    except ray.exceptions.RayError as error:
        raise HardwareError(
            "the Ray cluster",
            f"lost a batch and {MAX_RETRIES} retries: {shorten(error, 300)}",
            fix="check the workers' memory and the logs in /tmp/ray on their machines, "
            "or set engine=local",
        ) from error
    if isinstance(found, _ErrorValue):
        raise found.to_error()
    return found


@contextmanager
def open_ray(
    cluster: str | None, num_workers: int = 2, patience_s: float = PATIENCE_S
) -> Iterator[RayEngine]:
    """Connect to a cluster, or start a local one that ends with this process.

    Args:
        cluster: `host:port` of a cluster that this machine is a node of, or any other
            address that `ray.init` accepts; None starts a local one.
        num_workers: processes of a local cluster.
        patience_s: seconds for a cluster to answer.
    Raises: ConfigError if Ray is not installed or no cluster answers.
    """
    # Ray reads these variables when it is first imported.
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    if cluster is None:
        _require_token()
    try:
        import ray
    except ImportError:
        raise ConfigError(
            "engine.name",
            "is ray, which is not installed",
            fix="pip install 'graft[ray]', or set engine=local",
        ) from None
    quiet = {"log_to_driver": False, "logging_level": "ERROR"}
    if cluster is None:
        here = {"_node_ip_address": LOOPBACK, "num_cpus": num_workers}
        own = {"address": "local", "include_dashboard": False, **here}
        # The workers inherit it, which is seconds faster than Ray's runtime_env.
        with _environment(ONE_THREAD):
            ray.init(**own, **quiet)
    else:
        _check_answers(cluster, patience_s)
        # The workers get this code, whatever version they have installed.
        sent = {"env_vars": ONE_THREAD, "py_modules": [graft.__path__[0]]}
        ray.init(address=cluster, **quiet, runtime_env=sent)
    try:
        yield RayEngine()
    finally:
        ray.shutdown()


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    kept = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in kept.items():
            del os.environ[name]
            if value is not None:
                os.environ[name] = value


def _require_token() -> None:
    """Require a token: Ray listens on all addresses, and runs any code sent to it."""
    os.environ.setdefault("RAY_AUTH_MODE", "token")
    os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))


def _check_answers(cluster: str, patience_s: float) -> None:
    """Raises: ConfigError. Uses another process, which can be stopped at a timeout."""
    command = [sys.executable, "-c", _CONNECT, cluster]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=patience_s, check=False
        )
        problem = (done.stderr.strip().splitlines() or [""])[-1]
        problem = problem if done.returncode else ""
    except subprocess.TimeoutExpired:
        problem = f"no answer within {patience_s:.0f} s"
    if problem:
        raise ConfigError(
            "engine.cluster",
            f"the Ray cluster {cluster} cannot be used: {shorten(problem, 300)}",
            expected="the address of a running cluster that this machine is a node of",
            fix="on its first machine: ray start --head; on the others, this one too: "
            "ray start --address=HOST:6379; then set engine.cluster to HOST:6379, or "
            "to null to start workers here",
        )


_CONNECT = """
import sys, ray
ray.init(address=sys.argv[1], log_to_driver=False, logging_level="ERROR")
"""
