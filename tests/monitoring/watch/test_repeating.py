import logging
from threading import Event

import pytest

from graft.monitoring.watch.repeating import Repeated, Repeating

LOGGER = logging.getLogger("graft.watch")


def test_work_that_fails_goes_on_and_so_does_the_other() -> None:
    errors, enough, other = list[str](), Event(), Event()

    def fail() -> None:
        raise ValueError("broken")

    def failed(error: Exception) -> None:
        errors.append(str(error))
        if len(errors) >= 3:
            enough.set()
        raise RuntimeError("this too")

    works = [
        Repeated("broken", 0.001, fail, failed),
        Repeated("other", 0.001, other.set, failed),
    ]
    with Repeating(works):
        assert enough.wait(20) and other.wait(20)
    assert set(errors) == {"broken"}


def test_the_end_does_not_wait_for_the_next_start(
    caplog: pytest.LogCaptureFixture,
) -> None:
    started = Event()
    with Repeating([Repeated("seldom", 1e6, started.set, lambda _: None)]):
        assert started.wait(20)
    assert not caplog.records
