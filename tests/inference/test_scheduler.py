"""Any schedule gives each row what transformers generates for its prompt alone."""

from collections import defaultdict
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graft.inference.requests import GenerationRequest, Sampling
from graft.inference.runner import ModelRunner
from graft.inference.scheduler import OpenRow, Scheduler

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
    steps=st.integers(1, 5),
    chunk=st.sampled_from([1, 40, 8192]),
    min_free=st.integers(1, 3),
)
def test_rows_equal_generate_whatever_the_arrivals_slots_and_chunks(
    model, runner, expected, order, waits, slots, steps, chunk, min_free
):
    scheduler = Scheduler(
        runner, slots, steps_per_read=steps, chunk_tokens=chunk, min_free=min_free
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
)
def test_a_cancelled_row_ends_at_once_and_changes_no_other(
    model, runner, expected, moments, slots
):
    scheduler = Scheduler(runner, slots)
    scheduler.add(*(OpenRow(request(n, model)) for n in range(len(PROMPTS))))
    found: dict[Any, list[int]] = defaultdict(list)
    ends: dict[Any, str] = {}
    step = 0
    with runner.session(model):
        while scheduler.open_rows:
            asked = [n for n, moment in moments.items() if moment == step]
            for number in asked:
                scheduler.cancel(number)
            for event in scheduler.step():
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


def generate_all(model, runner, slots, **changes) -> dict[Any, list[Any]]:
    scheduler = Scheduler(runner, slots)
    scheduler.add(*(OpenRow(request(n, model, **changes)) for n in range(6)))
    found: dict[Any, list[Any]] = defaultdict(list)
    with runner.session(model):
        while scheduler.open_rows:
            for event in scheduler.step():
                found[event.key] += event.logprobs or event.tokens
    return found


def test_draws_of_a_row_depend_on_its_seed_and_not_on_its_neighbours(model, runner):
    warm = Sampling(temperature=1.0, top_p=0.9, seed=3)
    alone, beside = (generate_all(model, runner, n, sampling=warm) for n in (1, 4))
    other = generate_all(model, runner, 4, sampling=Sampling(temperature=1.0, seed=4))
    assert alone == beside != other


def test_logprobs_are_those_of_one_pass_over_prompt_and_answer(model, runner):
    tokens = generate_all(model, runner, 3)
    logprobs = generate_all(model, runner, 3, logprobs=True)
    for number, written in tokens.items():
        ids = torch.tensor([[*PROMPTS[number], *written]])
        with torch.no_grad():
            logs = model(ids).logits[0, len(PROMPTS[number]) - 1 : -1].log_softmax(-1)
        right = logs.gather(1, torch.tensor(written)[:, None])[:, 0]
        assert logprobs[number] == pytest.approx(right.tolist(), abs=1e-4)


def test_a_row_that_no_slot_holds_is_refused(model, runner):
    scheduler = Scheduler(runner, 1)
    with pytest.raises(ValueError, match="do not fit"):
        scheduler.add(OpenRow(request(0, model, max_new_tokens=LENGTH)))
    with pytest.raises(ValueError, match="needs a prompt"):
        scheduler.add(OpenRow(GenerationRequest("empty", [], 1)))


def test_a_session_leaves_the_model_as_it_was(model, runner):
    before = getattr(model.config, "_attn_implementation")
    with runner.session(model):
        assert getattr(model.config, "_attn_implementation") != before
    assert getattr(model.config, "_attn_implementation") == before
    assert "forward" not in vars(model.model.layers[0].mlp.down_proj)
