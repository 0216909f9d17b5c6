"""Random schedules of rows, cancellations and adapters that replace each other."""

import copy
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from row_answers import check, collect
from saved_adapters import save_adapter

from graft.errors import RequestError
from graft.inference.adapters import number_adapters
from graft.inference.batching import ContinuousBatch, run_requests
from graft.inference.requests import GenerationRequest, TokensEvent

LENGTH = 64
ROWS = range(6)  # of the fixture `requests`


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
