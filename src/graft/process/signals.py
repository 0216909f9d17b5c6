"""Ctrl-C (SIGINT) and SIGTERM end a stage or command with a message, no traceback."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

Handler = Callable[[int, FrameType | None], None]

SIGNALS = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}
RESUME = (
    "fix: run the same command again (dvc repro, dvc exp run …): training resumes from "
    "its last checkpoint, any other stage starts from the beginning"
)


class Interrupted(KeyboardInterrupt):
    """A signal as an exception, so that open files and runs are closed."""

    def __init__(self, number: int = signal.SIGINT) -> None:
        super().__init__(number)
        self.number = number


@contextmanager
def handled(handler: Handler) -> Iterator[None]:
    """Handle SIGINT and SIGTERM with `handler` within the block."""
    previous = _set(handler)
    try:
        yield
    finally:
        for number, old in previous.items():
            signal.signal(number, old)


class Deferred:
    """A signal that has come meanwhile; `number` is 0 without one."""

    number = 0


@contextmanager
def deferred() -> Iterator[Deferred]:
    """Note a signal within the block, and raise `Interrupted` at its end.

    For work that looks at the value and ends soon. A second signal raises at once. In
    one of several processes it is ignored, then and afterwards, while the process
    closes what is open: the launcher passes each signal on, and sends one more when
    the first process ends.
    """
    found, is_one_of_several = Deferred(), "RANK" in os.environ

    def note(number: int, frame: FrameType | None) -> None:
        if found.number and not is_one_of_several:
            raise_interrupted(number, frame)
        found.number = found.number or number

    previous = _set(note)
    try:
        yield found
    finally:
        for number, old in previous.items():
            ignored = found.number and is_one_of_several
            signal.signal(number, signal.SIG_IGN if ignored else old)
    if found.number:
        raise Interrupted(found.number)


def exit_stage_at_once() -> None:
    """From now on, signals end this stage at once: while it imports its modules."""
    _set(lambda number, frame: _exit(number, is_stage=True))


def exit_at_once(number: int, _frame: FrameType | None) -> NoReturn:
    """A handler while a command imports its modules, when nothing is open yet."""
    _exit(number, is_stage=False)


def raise_interrupted(number: int, _frame: FrameType | None) -> NoReturn:
    """A handler while files and runs may be open. Raises: Interrupted."""
    raise Interrupted(number)


def report(number: int, is_stage: bool) -> int:
    """Print which signal ended the process, and how to resume a stage.

    Returns: the exit status.
    """
    if os.environ.get("RANK", "0") == "0":  # of several processes, only one prints
        lines = [SIGNALS[signal.Signals(number)], *([RESUME] if is_stage else [])]
        print("\n  ".join(lines), file=sys.stderr, flush=True)
    return 128 + number


def _exit(number: int, is_stage: bool) -> NoReturn:
    os._exit(report(number, is_stage))  # an exception would print a traceback


def _set(handler: Handler) -> dict[int, Callable[..., object] | int | None]:
    """Set a handler, except for signals that the parent process made this one ignore
    (`nohup`, background jobs); returns the previous handlers."""
    numbers = [n for n in SIGNALS if signal.getsignal(n) is not signal.SIG_IGN]
    return {number: signal.signal(number, handler) for number in numbers}
