"""Several at work at once, results in order: what all engines have in common."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")
Map = Callable[[Callable[[Any], Any], Iterable[Any]], Iterator[Any]]
"""`map`, or an engine's."""
IN_FLIGHT = 2
"""Batches for each worker, at work or waiting: what bounds the memory."""


def in_order(
    submit: Callable[[Item], Callable[[], Result]],
    items: Iterable[Item],
    num_workers: int,
) -> Iterator[Result]:
    """The result for each item, in the order of the items.

    Args:
        submit: starts the work on an item; what it gives waits for the result.
        items: read only as there is room for them.
        num_workers: how many items can be worked on at once.
    """
    waiting: deque[Callable[[], Result]] = deque()
    for item in items:
        waiting.append(submit(item))
        if len(waiting) >= num_workers * IN_FLIGHT:
            yield waiting.popleft()()
    while waiting:
        yield waiting.popleft()()
