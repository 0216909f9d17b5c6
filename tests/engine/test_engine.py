"""Engines: order, bounds, errors; for Ray see `integration/test_ray_engine.py`."""

import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graft.config import EngineConfig
from graft.engine.local import LocalEngine, num_cores, open_engine
from graft.engine.ordered import IN_FLIGHT, in_order
from graft.engine.ray import open_ray
from graft.errors import ConfigError, DataError


@given(st.lists(st.integers()), st.integers(1, 5))
def test_results_come_in_the_order_of_their_items(items, num_workers) -> None:
    def submit(item: int):
        return lambda: item * 2

    assert list(in_order(submit, items, lambda: num_workers)) == [n * 2 for n in items]


@given(st.integers(1, 5), st.integers(0, 40))
def test_items_are_read_only_when_workers_have_room(num_workers, size) -> None:
    started, done = [], []

    def submit(item: int):
        started.append(item)
        return lambda: item

    for item in in_order(submit, range(size), lambda: num_workers):
        assert len(started) - len(done) <= num_workers * IN_FLIGHT
        done.append(item)
    assert done == list(range(size))


def test_items_are_read_for_workers_that_join_and_not_for_those_that_leave() -> None:
    joined, in_progress = 1, 0

    def submit(item: int):
        nonlocal in_progress
        in_progress += 1
        return lambda: item

    widths = []
    for item in in_order(submit, range(60), lambda: joined):
        widths.append(in_progress)
        in_progress -= 1
        joined = 5 if 20 <= item < 40 else 1
    assert list(map(max, (widths[:20], widths[20:40], widths[50:]))) == [2, 10, 2]


def test_a_slow_first_item_does_not_lose_its_place() -> None:
    def work(item: int) -> int:
        time.sleep(0.05 if item == 0 else 0)
        return item

    assert list(LocalEngine(4).map(work, range(20))) == list(range(20))


def test_an_error_of_the_work_is_raised_as_it_is() -> None:
    error = DataError("f:1", "wrong", expected="right", fix="correct it")

    def work(item: int) -> int:
        if item == 3:
            raise error
        return item

    with pytest.raises(DataError) as raised:
        list(LocalEngine(2).map(work, range(9)))
    assert raised.value is error


def test_no_thread_is_left_when_results_are_not_read_to_the_end() -> None:
    before = threading.active_count()
    results = LocalEngine(2).map(abs, range(100))
    assert next(results) == 0
    results.close()
    assert threading.active_count() == before


def test_the_local_engine_is_as_wide_as_the_machine() -> None:
    with open_engine(EngineConfig(name="local", cluster=None)) as engine:
        barrier = threading.Barrier(num_cores())
        items = range(num_cores())
        list(engine.map(lambda _: barrier.wait(timeout=60), items))


def test_without_ray_the_error_explains_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with pytest.raises(ConfigError, match="not installed") as raised, open_ray(None):
        pass
    assert "pip install 'graft[ray]'" in raised.value.fix
