"""Work that is done again and again, whatever happens in it."""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from graft.errors import GraftError

LOGGER = logging.getLogger("graft.watch")


@dataclass(frozen=True)
class Repeated:
    """Work that is repeated.

    Args:
        name: for messages.
        every_s: seconds between two starts, or more if the work takes longer.
        work: is called.
        failed: called with the error of a work that raised one.
    """

    name: str
    every_s: float
    work: Callable[[], None]
    failed: Callable[[Exception], None]


class Repeating:
    """A thread for each work, until the end of the block."""

    def __init__(self, works: Sequence[Repeated]) -> None:
        self._end = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(work,), daemon=True)
            for work in works
        ]

    def __enter__(self) -> None:
        for thread in self._threads:
            thread.start()

    def __exit__(self, *_: object) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join(timeout=30)

    def _run(self, one: Repeated) -> None:
        while not self._end.is_set():
            run_guarded(one)
            self._end.wait(one.every_s)


def run_guarded(one: Repeated) -> None:
    """Do the work once; its error is logged and passed on, never raised."""
    try:
        one.work()
    except Exception as error:  # pylint: disable=broad-exception-caught
        is_ours = isinstance(error, GraftError)
        LOGGER.warning("%s: %s", one.name, error, exc_info=not is_ours)
        try:
            one.failed(error)
        except Exception:  # pylint: disable=broad-exception-caught
            LOGGER.exception("%s: after its failure", one.name)
