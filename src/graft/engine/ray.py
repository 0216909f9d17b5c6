"""Connections to Ray: to a cluster, or to processes that are started here."""

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import graft
from graft.engine.ray_engine import MAX_RETRIES, RayEngine
from graft.errors import ConfigError, HardwareError
from graft.records import shorten

PATIENCE_S = 60.0
"""Seconds for a cluster to answer; Ray itself would wait for minutes."""
REPLACED_S = 600.0
"""Seconds for machines that died to be replaced, if the cluster has no core left."""
LOOPBACK = "127.0.0.2" if sys.platform == "linux" else "127.0.0.1"
"""On Linux Ray replaces 127.0.0.1 by the machine's external address."""
ONE_THREAD = {"POLARS_MAX_THREADS": "1", "RAYON_NUM_THREADS": "1"}
"""There is one worker per core, so each uses one thread."""


@contextmanager
def open_ray(
    cluster: str | None,
    num_workers: int = 2,
    patience_s: float = PATIENCE_S,
    replaced_s: float = REPLACED_S,
) -> Iterator[RayEngine]:
    """Connect to a cluster, or start a local one that ends with this process.

    Args:
        cluster: `host:port` of a cluster that this machine is a node of, or any other
            address that `ray.init` accepts. None is the variable RAY_ADDRESS, and
            without it a cluster that is started here.
        num_workers: processes of a local cluster.
        patience_s: seconds for a cluster to answer.
        replaced_s: seconds that the cluster may be without a core.
    Raises: ConfigError if Ray is not installed or no cluster answers; HardwareError if
        it does not start here.
    """
    # Ray reads these variables when it is first imported.
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    # By default, a batch that takes all memory would be repeated for ever.
    os.environ.setdefault("RAY_task_oom_retries", str(MAX_RETRIES))
    cluster = cluster or os.environ.get("RAY_ADDRESS")
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
            _start(own | quiet)
    else:
        _check_answers(cluster, patience_s)
        # The workers get this code, whatever version they have installed.
        sent = {"env_vars": ONE_THREAD, "py_modules": [graft.__path__[0]]}
        ray.init(address=cluster, **quiet, runtime_env=sent)
    try:
        yield RayEngine(replaced_s)
    finally:
        ray.shutdown()


def _start(settings: dict[str, Any]) -> None:
    """Start Ray here. Raises: HardwareError."""
    import ray

    try:
        ray.init(**settings)
    except Exception as error:  # Ray raises bare exceptions
        ray.shutdown()
        raise HardwareError(
            "engine=ray",
            f"Ray did not start here: {shorten(error, 300)}",
            fix="try again when the machine is less busy, see the logs in "
            "/tmp/ray/session_latest/logs, or set engine=local",
        ) from error


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
            "ray start --address=HOST:6379; then set engine.cluster or RAY_ADDRESS to "
            "HOST:6379, or neither to start workers here",
        )


_CONNECT = """
import sys, ray
ray.init(address=sys.argv[1], log_to_driver=False, logging_level="ERROR")
"""
