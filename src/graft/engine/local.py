"""The interface of engines, and the local engine.

The work is a pure function of one batch. Results come in the order of the batches, so
that every engine writes the same bytes.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Protocol

from graft.config import EngineConfig
from graft.engine.ordered import Item, Result, in_order


class Engine(Protocol):
    """Processes several batches at once."""

    def map(
        self, work: Callable[[Item], Result], items: Iterable[Item]
    ) -> Iterator[Result]:
        """The result for each item, in order; reads items only as workers need them."""


class LocalEngine:
    """Threads; the work is native code (Polars, Arrow, tokenizers) without the GIL."""

    def __init__(self, num_workers: int) -> None:
        self._num_workers = num_workers

    def map(
        self, work: Callable[[Item], Result], items: Iterable[Item]
    ) -> Iterator[Result]:
        """As of `Engine`."""
        with ThreadPoolExecutor(self._num_workers) as pool:

            def submit(item: Item) -> Callable[[], Result]:
                return pool.submit(work, item).result

            try:
                yield from in_order(submit, items, lambda: self._num_workers)
            finally:
                pool.shutdown(cancel_futures=True)


@contextmanager
def open_engine(config: EngineConfig) -> Iterator[Engine]:
    """The engine that `engine.name` names. Raises: ConfigError if it is not installed
    or its cluster cannot be reached."""
    if config.name == "ray":
        from graft.engine.ray import open_ray

        with open_ray(config.cluster, max(num_cores(), 2)) as engine:
            yield engine
    else:
        yield LocalEngine(num_cores())


def num_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0))
