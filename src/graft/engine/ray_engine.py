"""Batches as tasks of a Ray cluster.

Ray schedules, passes batches through shared memory, and repeats the work of workers
that died. `in_order` limits the batches in flight, since the order of rows must be
kept.
"""

import socket
import time
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any

from graft.engine.libraries import check_libraries, library_versions
from graft.engine.ordered import Item, Result, in_order
from graft.errors import GraftError, HardwareError
from graft.records import shorten

MAX_RETRIES = 3
"""Number of times that a batch is given to another worker after a worker died."""
CHECK_S = 5.0
"""Seconds between two checks of the cluster."""
_Versions = tuple[tuple[str, str], ...]


class RayEngine:
    """Workers of the cluster that this process is connected to.

    Args:
        patience_s: seconds that the cluster may be without a core for the work, while
            machines that died are replaced.
    """

    def __init__(self, patience_s: float) -> None:
        import ray

        self._patience_s = patience_s
        self._head = ray.get_runtime_context().gcs_address
        self._cores, self._checked = 1, 0.0
        self._without_cores: float | None = None  # since when

    def map(
        self, work: Callable[[Item], Result], items: Iterable[Item]
    ) -> Iterator[Result]:
        """As of `graft.engine.local.Engine`. The work is sent to each worker once.

        Raises: the errors of the work; HardwareError if a batch loses its worker again
            and again, or the cluster is lost.
        """
        import ray

        run = ray.remote(num_cpus=1, max_retries=MAX_RETRIES)(_run)
        # In a tuple, Ray passes the reference and not the value.
        sent = (ray.put(work), tuple(library_versions().items()))

        def submit(numbered: tuple[int, Item]) -> Callable[[], Result]:
            number, item = numbered
            try:
                reference = run.remote(sent, item)
            except OSError as error:
                raise self._lost(error) from error
            return lambda: self._take(reference, number)

        return in_order(submit, enumerate(items, start=1), self._num_cores)

    def _take(self, reference: Any, number: int) -> Any:
        """Wait for a result. Raises: as of `map`."""
        import ray

        try:
            while not ray.wait([reference], timeout=CHECK_S)[0]:
                self._check()
            found = ray.get(reference)
        except ray.exceptions.RayTaskError as error:
            raise error.cause from error
        except (OSError, ray.exceptions.LocalRayletDiedError) as error:
            raise self._lost(error) from error
        except ray.exceptions.RayError as error:
            raise HardwareError(
                f"the Ray cluster {self._head}",
                f"batch {number} lost its worker, and {MAX_RETRIES} others after it: "
                f"{shorten(error, 300)}",
                fix="give the workers more memory, or see the logs in /tmp/ray on "
                "their machines; with engine=local the batch is processed here",
            ) from error
        if isinstance(found, _Raised):
            raise found.error
        return found

    def _num_cores(self) -> int:
        """Cores of the cluster now, at least one."""
        if time.monotonic() - self._checked > CHECK_S:
            self._check()
        return max(self._cores, 1)

    def _check(self) -> None:
        """Raises: HardwareError if the head does not answer, or there is no core."""
        import ray

        host, port = self._head.rsplit(":", 1)
        try:
            # Ray would wait for a minute, and then end this process.
            socket.create_connection((host.strip("[]"), int(port)), CHECK_S).close()
        except OSError as error:
            raise self._lost(error) from error
        self._cores = int(ray.cluster_resources().get("CPU", 0))
        self._checked = time.monotonic()
        if self._cores:
            self._without_cores = None
            return
        self._without_cores = self._without_cores or self._checked
        if self._checked - self._without_cores > self._patience_s:
            raise HardwareError(
                f"the Ray cluster {self._head}",
                f"has had no core for {self._patience_s:.0f} s",
                expected="at least one machine with --num-cpus of 1 or more",
                fix="add machines, or set engine=local",
            )

    def _lost(self, error: Exception) -> HardwareError:
        return HardwareError(
            f"the Ray cluster {self._head}",
            f"the connection to its head is lost: {shorten(error, 300)}",
            fix="start the cluster, then this stage again, or set engine=local",
        )


class _Raised:
    """An error of the work as a result, since Ray would add a long traceback to it."""

    def __init__(self, error: GraftError) -> None:
        self.error = error


def _run(sent: tuple[Any, _Versions], item: Item) -> Any:
    """The work on an item, in a worker."""
    try:
        return _fetch(*sent)(item)
    except GraftError as error:
        return _Raised(error)


@lru_cache(maxsize=1)
def _fetch(reference: Any, versions: _Versions) -> Any:
    """The work, unpickled once in each worker. Raises: ConfigError if the libraries
    differ."""
    import ray

    check_libraries(dict(versions), f"the Ray node {ray.util.get_node_ip_address()}")
    return ray.get(reference)
