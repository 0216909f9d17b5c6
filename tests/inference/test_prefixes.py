"""Prompts that begin alike are answered as if each were alone, and computed once."""

import copy
from collections import defaultdict
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graft.inference.batching import run_requests
from graft.inference.prefixes import LEAST, NOTHING, Prompt, Shared, find_shared
from graft.inference.requests import GenerationRequest, OpenRow
from graft.inference.runner import ModelRunner
from graft.inference.scheduler import Scheduler

LENGTH, NEW = 192, 6
STEM = [(13 * n + n * n) % 251 for n in range(130)]
ADAPTERS = [None, "champion", "challenger"]
SLOW = settings(
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture(scope="module")
def windowed(adapted) -> Any:
    """The same weights, with attention to the last 50 tokens alone."""
    model = copy.deepcopy(adapted)
    model.config.sliding_window = 50
    return model


def collect(scheduler: Scheduler, found: dict[Any, list[int]]) -> None:
    for event in scheduler.step():
        found[event.key] += event.tokens


PROMPTS = st.lists(
    st.tuples(
        st.sampled_from([0, 20, LEAST, 70, 130]),  # tokens of the common beginning
        st.lists(st.integers(0, 250), max_size=5),
        st.sampled_from(ADAPTERS),
        st.integers(0, 3),  # steps until the next one comes
    ).filter(lambda one: one[0] or one[1]),
    min_size=1,
    max_size=8,
)


@pytest.mark.parametrize("kind", ["adapted", "windowed"])
@SLOW
@given(
    prompts=PROMPTS,
    slots=st.integers(1, 5),
    chunk=st.sampled_from([1, 150, 8192]),
    overlaps=st.booleans(),
)
def test_rows_are_answered_as_alone_whatever_they_share(
    request, kind, prompts, slots, chunk, overlaps
):
    model = request.getfixturevalue(kind)
    rows = [
        GenerationRequest(number, [*STEM[:size], *rest], NEW, adapter)
        for number, (size, rest, adapter, _) in enumerate(prompts)
    ]
    alone = {
        row.key: sum((event.tokens for event in run_requests(model, [row], 1)), [])
        for row in rows
    }
    runner, found = ModelRunner(model, 5, LENGTH, dense=False), defaultdict(list)
    scheduler = Scheduler(runner, slots, overlaps=overlaps, chunk_tokens=chunk)
    with runner.session(model):
        for row, (*_, wait) in zip(rows, prompts):
            scheduler.add(OpenRow(row))
            for _ in range(wait):
                collect(scheduler, found)
        while scheduler.open_rows:
            collect(scheduler, found)
    assert found == alone


def test_the_window_changes_answers(adapted, windowed):
    row = GenerationRequest("row", STEM, NEW)
    whole, cut = (list(run_requests(m, [row], 1)) for m in (adapted, windowed))
    assert [event.tokens for event in whole] != [event.tokens for event in cut]


def test_a_common_beginning_is_computed_once_for_each_adapter(adapted):
    counts: list[int] = []
    hook = adapted.get_input_embeddings().register_forward_hook(
        lambda _module, args, _out: counts.append(args[0].numel())
    )
    runner = ModelRunner(adapted, 8, LENGTH, dense=False)
    prompts = [[*STEM, number] for number in range(6)]
    try:
        with runner.session(adapted):
            runner.prefill(0, prompts[:4], [None, None, "champion", "champion"])
            runner.prefill(4, prompts[4:], [None, "challenger"])
    finally:
        hook.remove()
    assert counts == [131 + 1 + 131 + 1, 1 + 131]


def test_a_beginning_is_shared_if_it_is_long_and_of_the_same_adapter():
    stem, short = STEM[:LEAST], STEM[: LEAST - 1]
    held = [Prompt(None, [*stem, 1]), Prompt("a", [*stem, 5, 6, 7])]
    new = [
        Prompt(None, [*stem, 2]),
        Prompt("a", [*stem, 5, 6, 8]),
        Prompt("b", [*stem, 1]),
        Prompt("b", [*stem, 1, 2]),
        Prompt(None, [*short, 250, 3]),
        Prompt(None, stem),  # its last token is its own
    ]
    assert find_shared(held, new, range(2, 8)) == [
        Shared(0, LEAST),
        Shared(1, LEAST + 2),
        NOTHING,
        Shared(4, LEAST + 1),
        NOTHING,
        NOTHING,
    ]
