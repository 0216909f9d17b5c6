"""Ctrl-C and SIGTERM end a stage or command with one message and no traceback."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

Handler = Callable[[int, FrameType | None], NoReturn]

SIGNALS = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}
RESUME = (
    "fix: run the same command again (dvc repro, dvc exp run …): training resumes from "
    "its last checkpoint, another stage starts again"
)


class Interrupted(KeyboardInterrupt):
    """A signal, where files and runs are open: they are closed on the way out."""

    def __init__(self, number: int = signal.SIGINT) -> None:
        super().__init__(number)
        self.number = number


@contextmanager
def handled(handler: Handler) -> Iterator[None]:
    """Handle the signals so within the block."""
    before = _set(handler)
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)


def exit_stage_at_once() -> None:
    """From now on signals end this stage: for the seconds in which it imports."""
    _set(lambda number, frame: _exit(number, is_stage=True))


def exit_at_once(number: int, _frame: FrameType | None) -> NoReturn:
    """A handler for the time in which a command imports: nothing is open yet."""
    _exit(number, is_stage=False)


def raise_interrupted(number: int, _frame: FrameType | None) -> NoReturn:
    """A handler. Raises: Interrupted."""
    raise Interrupted(number)


def tell(number: int, is_stage: bool) -> int:
    """Print what happened, and for a stage how to go on; returns the exit status."""
    if os.environ.get("RANK", "0") == "0":  # one of several processes speaks for all
        lines = [SIGNALS[signal.Signals(number)], *([RESUME] if is_stage else [])]
        print("\n  ".join(lines), file=sys.stderr, flush=True)
    return 128 + number


def _exit(number: int, is_stage: bool) -> NoReturn:
    os._exit(tell(number, is_stage))  # an exception would show what was imported


def _set(handler: Handler) -> dict[int, Callable[..., object] | int | None]:
    """Set a handler, except where the parent has had the signal ignored (`nohup`, a
    job in the background); returns the handlers before."""
    heard = [one for one in SIGNALS if signal.getsignal(one) is not signal.SIG_IGN]
    return {number: signal.signal(number, handler) for number in heard}
