"""Ray's workers: those of a cluster, or processes of this machine.

Ray schedules, carries batches through shared memory, and tries again what a worker
left when it died. Only the window is ours, since the order of the rows must be kept.
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
"""Times that a batch is given to another worker after one died over it."""
PATIENCE_S = 30.0
"""Seconds for a cluster to answer; Ray itself goes on for minutes."""
LOOPBACK = "127.0.0.2" if sys.platform == "linux" else "127.0.0.1"
"""Ray takes 127.0.0.1 on Linux for the machine's outer address."""
ONE_THREAD = {"POLARS_MAX_THREADS": "1", "RAYON_NUM_THREADS": "1"}
"""A worker has one core, and there is one for each core."""


class RayEngine:
    """Workers of the cluster that this process is connected to."""

    def map(
        self, work: Callable[[Item], Result], items: Iterable[Item]
    ) -> Iterator[Result]:
        """As of `graft.engine.local.Engine`. The work is sent once, however large.

        Raises: what the work raises; HardwareError if its workers die again and again.
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
class _Fault:
    """An error of ours as a value: Ray would wrap it in a wall of text."""

    kind: type[GraftError]
    told: tuple[str, ...]

    def to_error(self) -> GraftError:
        """The error again."""
        where, problem, expected, fix = self.told
        return self.kind(where, problem, expected=expected, fix=fix)


def _run(work: Callable[[Item], Result], item: Item) -> Result | _Fault:
    try:
        return work(item)
    except GraftError as error:
        return _Fault(type(error), error.args)


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
            f"lost a batch and {MAX_RETRIES} more tries: {shorten(error, 300)}",
            fix="look at the workers' memory and at the logs in /tmp/ray on their "
            "machines, or set data.engine to local",
        ) from error
    if isinstance(found, _Fault):
        raise found.to_error()
    return found


@contextmanager
def open_ray(
    cluster: str | None, num_workers: int = 2, patience_s: float = PATIENCE_S
) -> Iterator[RayEngine]:
    """Connect to a cluster, or start one here that ends with this process.

    Args:
        cluster: `host:port` of a cluster that this machine is a node of, or any other
            address that `ray.init` takes; none: started here.
        num_workers: processes to start, where they are started here.
        patience_s: seconds for a cluster to answer.
    Raises: ConfigError if Ray is not installed or no cluster answers.
    """
    # Ray reads all of this once, when it is first imported.
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    if cluster is None:
        _keep_strangers_out()
    try:
        import ray
    except ImportError:
        raise ConfigError(
            "data.engine",
            "ray is chosen, and is not installed",
            fix="pip install 'graft[ray]', or set data.engine to local",
        ) from None
    quiet = {"log_to_driver": False, "logging_level": "ERROR"}
    if cluster is None:
        here = {"_node_ip_address": LOOPBACK, "num_cpus": num_workers}
        own = {"address": "local", "include_dashboard": False, **here}
        # Inherited by the workers: seconds faster than Ray's way, runtime_env.
        with _environment(ONE_THREAD):
            ray.init(**own, **quiet)
    else:
        _check_answers(cluster, patience_s)
        # The workers get this very code, whatever version of it they have.
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


def _keep_strangers_out() -> None:
    """Ray listens on all addresses of a machine, and does what it is told there."""
    os.environ.setdefault("RAY_AUTH_MODE", "token")
    os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))


def _check_answers(cluster: str, patience_s: float) -> None:
    """Raises: ConfigError. A process of its own can be ended in time, and is silent."""
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
            "data.cluster",
            f"the Ray cluster {cluster} cannot be used: {shorten(problem, 300)}",
            expected="the address of a running cluster that this machine is a node of",
            fix="on its first machine: ray start --head; on the others, this one too: "
            "ray start --address=HOST:6379; then set data.cluster to HOST:6379, or to "
            "null to start workers here",
        )


_CONNECT = """
import sys, ray
ray.init(address=sys.argv[1], log_to_driver=False, logging_level="ERROR")
"""
