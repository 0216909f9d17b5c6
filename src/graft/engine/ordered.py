"""Parallel work with results in order, shared by all engines."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")
Map = Callable[[Callable[[Any], Any], Iterable[Any]], Iterator[Any]]
"""The built-in `map`, or that of an engine."""
IN_FLIGHT = 2
"""Batches per worker, in progress or waiting; this bounds the memory."""


def in_order(
    submit: Callable[[Item], Callable[[], Result]],
    items: Iterable[Item],
    num_workers: Callable[[], int],
) -> Iterator[Result]:
    """The result for each item, in the order of the items.

    Args:
        submit: starts the work on an item, and returns a function that waits for the
            result.
        items: read only when workers have room.
        num_workers: number of items that are processed at once. It is asked again for
            each item, since machines join a cluster and leave it.
    """
    waiting: deque[Callable[[], Result]] = deque()
    for item in items:
        waiting.append(submit(item))
        while len(waiting) >= num_workers() * IN_FLIGHT:
            yield waiting.popleft()()
    while waiting:
        yield waiting.popleft()()
