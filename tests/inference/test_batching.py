"""Rows that come and go, also from several threads: each gets its own answer, once."""

import copy
import gc
import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from itertools import cycle
from threading import Thread
from time import sleep
from typing import Any

import pytest
import torch
from cut_text import cut
from hypothesis import given, settings
from hypothesis import strategies as st

from graft.inference.batching import ContinuousBatch, run_requests
from graft.inference.requests import GenerationRequest, Sampling, TokensEvent

LENGTH, NEW, END = 64, 7, 257
ROWS = range(6)
ADAPTERS = [None, "champion", "challenger"]  # of the fixture `adapted`
WAYS = [Sampling(), Sampling(temperature=1.0, top_p=0.9, seed=3)]


@pytest.fixture(scope="module")
def requests(adapted, template) -> list[GenerationRequest]:
    """Rows that end by a stop text, a stop token, or the limit."""
    rows = [
        GenerationRequest(
            row,
            [(7 * row + i * i) % 251 for i in range(1 + 5 * row % 37)],
            NEW - row % 4,
            ADAPTERS[row % 3],
            stop_ids=frozenset({END}),
            template=template,
            sampling=WAYS[row % 2],
        )
        for row in ROWS
    ]
    texts = collect(run_requests(adapted, rows, 1))
    stops = [text[3:5] if len(text) > 4 else "zz" for _, text, _ in texts.values()]
    return [replace(row, stop=[stops[n % 5]]) for n, row in enumerate(rows)]


@pytest.fixture(scope="module")
def expected(adapted, requests) -> dict[Any, Any]:
    """Tokens, text and finish of each row alone."""
    alone = (collect(run_requests(adapted, [row], 1)) for row in requests)
    return {row: ended[row] for row, ended in enumerate(alone)}


def collect(events: Iterable[TokensEvent]) -> dict[Any, Any]:
    """Tokens, text and finish by key."""
    tokens, texts = defaultdict(list), defaultdict(list)
    ends: dict[Any, str] = {}
    for event in events:
        assert event.key not in ends, "an event after the end"
        tokens[event.key] += event.tokens
        texts[event.key].append(event.text)
        if event.finish:
            ends[event.key] = event.finish
    return {key: (tokens[key], "".join(texts[key]), ends.get(key)) for key in tokens}


def check(found: Any, right: Any, stop: Any, decode: Callable[[Any], str]) -> None:
    """An answer is the right one, or begins it if it was cancelled."""
    tokens, text, finish = found
    assert text == cut(decode(tokens), stop)
    if finish == "cancelled":
        assert tokens == right[0][: len(tokens)]
    else:
        assert found == right


def test_the_rows_of_these_tests_end_in_different_ways(expected):
    assert {finish for _, _, finish in expected.values()} == {"stop", "length"}
    assert len({text for _, text, _ in expected.values()}) > 4


def watched(model: Any, failing: int | None) -> tuple[Any, list[int]]:
    """A copy of the model, and the number of rows of each of its decode steps. The
    forward pass with this number runs out of memory."""
    other, rows = copy.deepcopy(model), []
    inner, kind = other.get_base_model(), type(other.get_base_model())

    def forward(**given: Any) -> Any:
        ids = given["input_ids"]
        rows.append(len(ids) if ids.shape[1] == 1 else 0)
        if len(rows) == failing:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return kind.forward(inner, **given)

    inner.forward = forward
    return other, rows


def drive(
    batch: ContinuousBatch, actions: list[Callable[[], int]], waits: list[int]
) -> Iterator[TokensEvent]:
    """The batch's events. Actions happen in their order, each some events after the one
    before, or at once if no row is open; each returns how many rows it adds."""
    events, numbers, num_open, wait = batch.events(), cycle(waits), 0, 0
    while True:
        while actions and (wait <= 0 or not num_open):
            num_open += actions.pop(0)()
            wait = next(numbers)
        if not actions:
            batch.close()
        event = next(events, None)
        if event is None:
            return
        wait, num_open = wait - 1, num_open - bool(event.finish)
        yield event


@settings(deadline=None, max_examples=200)
@given(
    order=st.permutations(ROWS),
    cancelled=st.lists(st.tuples(st.integers(0, 6), st.sampled_from(ROWS))),
    waits=st.lists(st.integers(0, 9), min_size=1, max_size=20),
    slots=st.integers(1, 4),
    failing=st.none() | st.integers(1, 20),
)
def test_200_schedules_give_each_prompt_its_own_answer_and_lose_no_slot(
    adapted, template, requests, expected, order, cancelled, waits, slots, failing
):
    failing = failing if slots > 1 else None
    other, rows = watched(adapted, failing)
    batch, filled_at = ContinuousBatch(other, slots, LENGTH), []

    def add(*added: GenerationRequest) -> int:
        for request in added:
            batch.add(request)
        return len(added)

    def cancel(row: int) -> int:
        batch.cancel(row)
        return 0

    def fill() -> int:
        filled_at.append(len(rows))
        return add(*(GenerationRequest(f"last {n}", [n], 3) for n in range(5)))

    actions: list[Callable[[], int]] = [partial(add, requests[row]) for row in order]
    for place, row in cancelled:  # before they come, while they run, after their end
        actions.insert(place, partial(cancel, row))
    found = collect(drive(batch, [*actions, fill], waits))
    assert set(found) == {*ROWS, *(f"last {n}" for n in range(5))}
    for row in ROWS:
        check(found[row], expected[row], requests[row].stop, template.decode)
    asked = {row for _, row in cancelled}
    assert {row for row in ROWS if found[row][2] == "cancelled"} <= asked
    if failing is None or not filled_at[0] < failing <= len(rows):
        halved = failing is not None and failing <= filled_at[0]
        assert max(rows[filled_at[0] :]) == (slots // 2 if halved else slots)


def test_threads_add_and_cancel_while_another_runs_the_model(
    adapted, template, requests, expected
):
    batch = ContinuousBatch(adapted, 4, LENGTH)

    def visit(thread: int) -> None:
        choose = random.Random(thread)
        for number in range(40):
            row = choose.choice(ROWS)
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
    with pytest.raises(ValueError, match="0 has not ended"):
        batch.add(requests[0])
    with pytest.raises(ValueError, match="do not fit"):
        batch.add(replace(requests[1], max_new_tokens=LENGTH))
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
