"""Rows that come and go, also from several threads: each gets its own answer, once."""

import copy
import gc
import random
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from itertools import cycle
from pathlib import Path
from threading import Thread
from time import sleep
from typing import Any

import pytest
import torch
from cut_text import cut
from hypothesis import given, settings
from hypothesis import strategies as st
from saved_adapters import save_adapter

from graft.errors import RequestError
from graft.inference import slots as slots_module
from graft.inference.adapters import number_adapters
from graft.inference.batching import ContinuousBatch, run_requests
from graft.inference.requests import GenerationRequest, Sampling, TokensEvent
from graft.inference.slots import overlaps

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


VERSIONS = range(3)  # of the adapter `guest`, which comes and goes


@pytest.fixture(scope="module")
def folders(model, tmp_path_factory) -> list[Path]:
    """Adapters of different ranks and layers; the first two differ in weights alone."""
    return [
        save_adapter(model, tmp_path_factory.mktemp("guest"), seed=seed, **changes)
        for seed, changes in enumerate([{}, {}, {"r": 3, "target_modules": ["q_proj"]}])
    ]


@pytest.fixture(scope="module")
def guests(adapted, requests, folders) -> list[Any]:
    """A row for each version, and its answer alone, with the adapter loaded by PEFT."""
    found = []
    for version, folder in enumerate(folders):
        other = copy.deepcopy(adapted)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            other.load_adapter(folder, "guest")
        row = replace(requests[3 + version], adapter="guest")
        (answer,) = collect(run_requests(other, [row], 1)).values()
        found.append((row, answer))
    return found


def test_the_versions_of_the_guest_answer_differently(guests, expected):
    answers = [answer for _, answer in guests]
    assert all(answers[n] != expected[3 + n] for n in VERSIONS)
    assert {len(answer[0]) for answer in answers} != {1}


@settings(deadline=None, max_examples=200)
@given(
    order=st.permutations(ROWS),
    cancelled=st.lists(st.tuples(st.integers(0, 6), st.sampled_from(ROWS))),
    versions=st.lists(
        st.tuples(st.integers(0, 6), st.sampled_from(VERSIONS)), max_size=4
    ),
    waits=st.lists(st.integers(0, 9), min_size=1, max_size=20),
    slots=st.integers(1, 4),
    failing=st.none() | st.integers(1, 20),
)
def test_200_schedules_give_each_prompt_its_own_answer_and_lose_no_slot(
    adapted,
    template,
    requests,
    expected,
    folders,
    guests,
    order,
    cancelled,
    versions,
    waits,
    slots,
    failing,
):
    failing = failing if slots > 1 else None
    other, rows = watched(adapted, failing)
    batch, filled_at = ContinuousBatch(other, slots, LENGTH), []
    swaps: list[int] = []  # versions of the guest, in their order

    def add(*added: GenerationRequest) -> int:
        for request in added:
            batch.add(request)
        return len(added)

    def cancel(row: int) -> int:
        batch.cancel(row)
        return 0

    def replace_guest(version: int) -> int:
        """Under the same name, and for two rows, while rows of the old one run."""
        if swaps:
            batch.remove_adapter("guest")
            with pytest.raises(RequestError, match="adapter guest"):
                batch.add(replace(guests[version][0], key="refused"))
        batch.add_adapter("guest", folders[version])
        swaps.append(version)
        row, _ = guests[version]
        return add(*(replace(row, key=(len(swaps), n)) for n in range(2)))

    def fill() -> int:
        filled_at.append(len(rows))
        return add(*(GenerationRequest(f"last {n}", [n], 3) for n in range(5)))

    actions: list[Callable[[], int]] = [partial(add, requests[row]) for row in order]
    for place, row in cancelled:  # before they come, while they run, after their end
        actions.insert(place, partial(cancel, row))
    for place, version in versions:
        actions.insert(place, partial(replace_guest, version))
    found = collect(drive(batch, [*actions, fill], waits))
    assert set(found) >= {*ROWS, *(f"last {n}" for n in range(5))}
    assert len(found) == len(ROWS) + 5 + 2 * len(versions)
    for row in ROWS:
        check(found[row], expected[row], requests[row].stop, template.decode)
    for number, version in enumerate(swaps, start=1):
        row, answer = guests[version]
        for copies in range(2):
            check(found[number, copies], answer, row.stop, template.decode)
            assert found[number, copies][2] != "cancelled"
    assert len(number_adapters(other.get_base_model())) == 3 + bool(swaps)
    asked = {row for _, row in cancelled}
    assert {row for row in ROWS if found[row][2] == "cancelled"} <= asked
    if failing is None or not filled_at[0] < failing <= len(rows):
        halved = failing is not None and failing <= filled_at[0]
        assert max(rows[filled_at[0] :]) == (slots // 2 if halved else slots)


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
