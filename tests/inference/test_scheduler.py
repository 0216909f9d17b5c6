"""Any schedule gives each row what transformers generates for its prompt alone."""

from collections import defaultdict
from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graft.errors import RequestError
from graft.inference.requests import GenerationRequest, OpenRow, Sampling
from graft.inference.runner import ModelRunner
from graft.inference.scheduler import Scheduler
from graft.inference.seeds import several

LENGTH, NEW = 64, 10
PROMPTS = [[(7 * n + i * i) % 251 for i in range(1 + 5 * n % 37)] for n in range(12)]
SLOW = settings(
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture(scope="module")
def runner(model) -> ModelRunner:
    return ModelRunner(model, 4, LENGTH, dense=False)


@pytest.fixture(scope="module")
def expected(model) -> list[list[int]]:
    rows = []
    for prompt in PROMPTS:
        ids = torch.tensor([prompt])
        out = model.generate(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            max_new_tokens=NEW,
            do_sample=False,
        )
        rows.append(out[0, len(prompt) :].tolist())
    return rows


def request(number: int, model: Any, **changes: Any) -> GenerationRequest:
    values = {"max_new_tokens": NEW, "stop_ids": frozenset({model.config.eos_token_id})}
    return GenerationRequest(number, PROMPTS[number], **(values | changes))


def drain(scheduler: Scheduler, found: dict[Any, list[int]]) -> None:
    for event in scheduler.step():
        found[event.key] += event.tokens


@SLOW
@given(
    order=st.permutations(range(len(PROMPTS))),
    waits=st.lists(st.integers(0, 3), min_size=len(PROMPTS), max_size=len(PROMPTS)),
    slots=st.integers(1, 4),
    overlaps=st.booleans(),
    chunk=st.sampled_from([1, 40, 8192]),
    min_free=st.integers(1, 3),
)
def test_rows_equal_generate_whatever_the_arrivals_slots_and_chunks(
    model, runner, expected, order, waits, slots, overlaps, chunk, min_free
):
    scheduler = Scheduler(
        runner, slots, overlaps=overlaps, chunk_tokens=chunk, min_free=min_free
    )
    found: dict[Any, list[int]] = defaultdict(list)
    with runner.session(model):
        for number, wait in zip(order, waits):
            scheduler.add(OpenRow(request(number, model)))
            for _ in range(wait):
                drain(scheduler, found)
        while scheduler.open_rows:
            drain(scheduler, found)
    assert [found[number] for number in range(len(PROMPTS))] == expected


@SLOW
@given(
    moments=st.dictionaries(
        st.integers(0, len(PROMPTS) - 1), st.integers(0, 12), max_size=8
    ),
    slots=st.integers(1, 4),
    overlaps=st.booleans(),
)
def test_a_cancelled_row_ends_at_once_and_changes_no_other(
    model, runner, expected, moments, slots, overlaps
):
    scheduler = Scheduler(runner, slots, overlaps=overlaps)
    scheduler.add(*(OpenRow(request(n, model)) for n in range(len(PROMPTS))))
    found: dict[Any, list[int]] = defaultdict(list)
    ends: dict[Any, str] = {}
    step = 0
    with runner.session(model):
        while scheduler.open_rows:
            asked = [n for n, moment in moments.items() if moment == step]
            for event in [*scheduler.cancel(asked), *scheduler.step()]:
                assert event.key not in ends, "an event after the end"
                found[event.key] += event.tokens
                if event.finish:
                    ends[event.key] = event.finish
            open_keys = {row.request.key for row in scheduler.open_rows}
            assert not open_keys.intersection(asked)
            step += 1
    assert sorted(ends) == list(range(len(PROMPTS)))
    for number, tokens in enumerate(expected):
        if ends[number] == "cancelled":
            assert found[number] == tokens[: len(found[number])]
        else:
            assert found[number] == tokens


def generate_all(
    runner: ModelRunner,
    requests: list[GenerationRequest],
    slots: int,
    overlaps: bool = False,
) -> dict[Any, list[Any]]:
    """Tokens of each request, or its log-probabilities if it requests some."""
    scheduler = Scheduler(runner, slots, overlaps=overlaps)
    scheduler.add(*map(OpenRow, requests))
    found: dict[Any, list[Any]] = defaultdict(list)
    while scheduler.open_rows:
        for event in scheduler.step():
            found[event.key] += event.logprobs or event.tokens
    return found


WAYS = [
    Sampling(temperature=0.8, seed=1),
    Sampling(),
    Sampling(temperature=1.5, top_k=20, top_p=0.9, seed=2),
    Sampling(temperature=1.0, min_p=0.02, seed=3),
]


@pytest.fixture(scope="module")
def drawn(model, runner) -> list[list[int]]:
    """What each of a dozen rows draws alone."""
    rows = []
    for number in range(len(PROMPTS)):
        alone = [request(number, model, sampling=WAYS[number % 4])]
        with runner.session(model):
            rows.append(generate_all(runner, alone, 1)[number])
    return rows


@SLOW
@given(
    order=st.permutations(range(len(PROMPTS))),
    slots=st.integers(1, 4),
    overlaps=st.booleans(),
    restarts=st.lists(st.integers(1, 8), max_size=3),
)
def test_draws_of_a_row_depend_on_its_seed_alone(
    model, runner, drawn, order, slots, overlaps, restarts
):
    rows = [OpenRow(request(n, model, sampling=WAYS[n % 4])) for n in order]
    found: dict[Any, list[int]] = defaultdict(list)
    for run in [*restarts, 999]:  # looks until the engine starts again
        scheduler = Scheduler(runner, slots, overlaps=overlaps)
        scheduler.add(*rows)
        with runner.session(model):
            while run and scheduler.open_rows:
                drain(scheduler, found)
                run -= 1
        rows = scheduler.open_rows
    assert [found[number] for number in range(len(PROMPTS))] == drawn


def test_other_seeds_draw_other_tokens(model, runner):
    rows = several(request(0, model, sampling=Sampling(temperature=1.0)), 8)
    with runner.session(model):
        found = generate_all(runner, rows, 4)
    assert len(set(map(tuple, found.values()))) == 8


@pytest.mark.parametrize("overlaps", [False, True])
def test_logprobs_are_those_of_one_pass_over_prompt_and_answer(model, runner, overlaps):
    numbers = [None, 0, 1, 5, 20, None]
    plain = [request(n, model, sampling=WAYS[n % 4]) for n in range(6)]
    asked = [replace(row, logprobs=n) for row, n in zip(plain, numbers)]
    with runner.session(model):
        tokens = generate_all(runner, plain, 3)
        found = generate_all(runner, asked, 3, overlaps)
    for row, number in enumerate(numbers):
        if number is None:
            assert found[row] == tokens[row]
            continue
        ids = torch.tensor([[*PROMPTS[row], *tokens[row]]])
        with torch.no_grad():
            logs = model(ids).logits[0, len(PROMPTS[row]) - 1 : -1].log_softmax(-1)
        chosen = [float(logs[at, token]) for at, token in enumerate(tokens[row])]
        assert [one.chosen for one in found[row]] == pytest.approx(chosen, abs=1e-4)
        for one, log in zip(found[row], logs, strict=True):
            best, ids = log.topk(number)
            assert [token for token, _ in one.likely] == ids.tolist()
            assert [value for _, value in one.likely] == pytest.approx(
                best.tolist(), abs=1e-4
            )


def test_a_row_that_no_slot_holds_is_refused(model, runner):
    scheduler = Scheduler(runner, 1)
    with pytest.raises(ValueError, match="do not fit"):
        scheduler.add(OpenRow(request(0, model, max_new_tokens=LENGTH)))
    with pytest.raises(ValueError, match="needs a prompt"):
        scheduler.add(OpenRow(GenerationRequest("empty", [], 1)))


@pytest.mark.parametrize("number", [-1, 1025])
def test_more_log_probabilities_than_an_api_shows_are_refused(model, number):
    with pytest.raises(RequestError, match=f"cannot report {number} log-prob"):
        request(0, model, logprobs=number)


def test_a_session_leaves_the_model_as_it_was(model, runner):
    before = getattr(model.config, "_attn_implementation")
    with runner.session(model):
        assert getattr(model.config, "_attn_implementation") != before
    assert getattr(model.config, "_attn_implementation") == before
    assert "forward" not in vars(model.model.layers[0].mlp.down_proj)
