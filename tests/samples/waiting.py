"""Waiting for what another thread or process does."""

import time
from collections.abc import Callable


def wait_until(condition: Callable[[], object], timeout_s: float = 60) -> None:
    """Wait until a condition holds. Raises: AssertionError after the time."""
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, f"the condition is false after {timeout_s} s"
        time.sleep(0.02)
