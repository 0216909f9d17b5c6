"""Rows that come and go, also from several threads: each gets its own answer, once."""

import copy
import gc
import random
from dataclasses import replace
from threading import Thread
from time import sleep
from typing import Any

import pytest
from row_answers import check, collect

from graft.errors import RequestError
from graft.inference import slots as slots_module
from graft.inference.batching import ContinuousBatch
from graft.inference.requests import GenerationRequest
from graft.inference.slots import overlaps

LENGTH = 64


def test_the_rows_of_these_tests_end_in_different_ways(expected):
    assert {finish for _, _, finish in expected.values()} == {"stop", "length"}
    assert len({text for _, text, _ in expected.values()}) > 4


@pytest.mark.parametrize("device", ["cpu", "cuda"])
@pytest.mark.parametrize("moment", range(2, 8))
def test_a_cancelled_row_is_computed_for_two_more_steps_at_most(
    model, monkeypatch, device, moment
):
    monkeypatch.setattr(slots_module, "overlaps", lambda _: overlaps(device))
    other, asked = copy.deepcopy(model), []
    batch = ContinuousBatch(other, 1, LENGTH)
    steps: list[int] = []

    def forward(**given: Any) -> Any:
        steps.append(len(steps))
        if len(steps) == moment:  # another thread would, while this step runs
            batch.cancel("row")
            asked.append(len(steps))
        return type(other).forward(other, **given)

    other.forward = forward
    batch.add(GenerationRequest("row", [1, 2, 3], 40))
    batch.close()
    _, _, finish = collect(batch.events())["row"]
    assert finish == "cancelled"
    assert len(steps) - asked[0] < 2  # the step that ran is the first


def test_threads_add_and_cancel_while_another_runs_the_model(
    adapted, template, requests, expected
):
    batch = ContinuousBatch(adapted, 4, LENGTH)

    def visit(thread: int) -> None:
        choose = random.Random(thread)
        for number in range(40):
            row = choose.randrange(len(requests))
            batch.add(replace(requests[row], key=(thread, number, row)))
            if choose.random() < 0.3:
                sleep(choose.random() / 100)
                batch.cancel((thread, number, row))

    threads = [Thread(target=visit, args=(number,)) for number in range(4)]

    def close_at_last() -> None:
        for thread in threads:
            thread.join()
        batch.close()

    threads_and_last = [*threads, Thread(target=close_at_last)]
    for thread in threads_and_last:
        thread.start()
    found = collect(batch.events())
    assert len(found) == 160
    for (_, _, row), answer in found.items():
        check(answer, expected[row], requests[row].stop, template.decode)
    finishes = [finish for _, _, finish in found.values()]
    assert 0 < finishes.count("cancelled") < 80
    gc.collect()
    assert "OpenRow" not in {type(thing).__name__ for thing in gc.get_objects()}


def test_a_batch_refuses_what_it_could_never_answer(adapted, requests):
    batch = ContinuousBatch(adapted, 2, LENGTH)
    batch.add(requests[0])
    with pytest.raises(ValueError, match="0: it has not ended"):
        batch.add(requests[0])
    with pytest.raises(ValueError, match="do not fit"):
        batch.add(replace(requests[1], max_new_tokens=LENGTH))
    with pytest.raises(RequestError, match="adapter missing"):
        batch.add(replace(requests[1], adapter="missing"))
    batch.close()
    with pytest.raises(ValueError, match="closed"):
        batch.add(requests[2])
    assert set(collect(batch.events())) == {0}


def test_a_key_is_free_again_when_its_row_has_ended(adapted, requests, expected):
    batch = ContinuousBatch(adapted, 2, LENGTH)
    batch.add(requests[0])
    ended = []
    for event in batch.events():
        if event.finish:
            batch.cancel(event.key)
            ended.append(event.finish)
            if len(ended) == 3:
                batch.close()
            else:
                batch.add(requests[0])
    assert ended == 3 * [expected[0][2]]
