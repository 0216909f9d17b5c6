"""Rows with a grammar run beside others, in any schedule."""

import gc
import weakref
from collections import defaultdict
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_schemas import SCHEMAS, TOO_COMPLEX, check

from graft.errors import RequestError
from graft.inference.grammars import json_grammar
from graft.inference.requests import GenerationRequest, OpenRow, Sampling
from graft.inference.runner import ModelRunner
from graft.inference.scheduler import Scheduler

LENGTH = 512
SLOW = settings(
    deadline=None,
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture(scope="module")
def runner(model) -> ModelRunner:
    return ModelRunner(model, 4, LENGTH, dense=False)


def request(number: int, template: Any, **changes: Any) -> GenerationRequest:
    values = {
        "max_new_tokens": 480,
        "stop_ids": frozenset(template.stop_ids),
        "template": template,
        "sampling": Sampling(temperature=float(number % 2), seed=number),
    }
    prompt = [(7 * number + i) % 251 for i in range(1 + 3 * (number % 8))]
    return GenerationRequest(number, prompt, **(values | changes))


def texts_of(scheduler: Scheduler, rows: list[OpenRow]) -> dict[Any, str]:
    scheduler.add(*rows)
    found: dict[Any, str] = defaultdict(str)
    while scheduler.open_rows:
        for event in scheduler.step():
            found[event.key] += event.text
            assert event.finish in (None, "stop", "length")
    return found


@pytest.fixture(scope="module")
def plain(model, runner, template) -> dict[Any, str]:
    """The texts of rows without a grammar, each alone."""
    rows = [request(n, template, max_new_tokens=30) for n in range(4)]
    with runner.session(model):
        scheduler = Scheduler(runner, 1)
        return {r.key: texts_of(scheduler, [OpenRow(r)])[r.key] for r in rows}


@SLOW
@given(
    schemas=st.lists(SCHEMAS, min_size=1, max_size=3),
    order=st.permutations(range(7)),
    slots=st.integers(1, 4),
    overlaps=st.booleans(),
)
def test_each_text_has_its_form_and_rows_without_one_are_unchanged(
    model, runner, template, plain, schemas, order, slots, overlaps
):
    wanted = {10 + number: schema for number, schema in enumerate(schemas)}
    rows = [request(n, template, max_new_tokens=30) for n in plain]
    rows += [
        request(number, template, grammar=json_grammar(schema))
        for number, schema in wanted.items()
    ]
    mixed = [OpenRow(rows[place]) for place in order if place < len(rows)]
    with runner.session(model):
        found = texts_of(Scheduler(runner, slots, overlaps=overlaps), mixed)
    assert {number: found[number] for number in plain} == plain
    for number, schema in wanted.items():
        check(found[number], schema)


def test_a_row_that_goes_on_in_another_session_keeps_its_place(model, runner, template):
    schema = {"type": "string", "minLength": 30, "maxLength": 40}
    row = OpenRow(request(1, template, grammar=json_grammar(schema)))
    text, steps = "", Scheduler(runner, 1)
    steps.add(row)
    with runner.session(model):
        for _ in range(9):
            text += "".join(event.text for event in steps.step())
    with runner.session(model):
        text += texts_of(Scheduler(runner, 1), [row])[1]
    check(text, schema)


def test_the_end_of_the_text_is_the_end_of_the_row(model, runner, template):
    row = request(0, template, grammar=json_grammar({"const": "abc"}), max_new_tokens=5)
    with runner.session(model):
        scheduler = Scheduler(runner, 1)
        scheduler.add(OpenRow(row))
        events = [event for _ in range(5) for event in scheduler.step()]
    assert "".join(event.text for event in events) == '"abc"'
    assert [event.finish for event in events] == [None] * 4 + ["stop"]


def test_log_probabilities_are_those_without_the_grammar(model, runner, template):
    row = request(
        0, template, grammar=json_grammar({"const": 1}), logprobs=2, max_new_tokens=1
    )
    free = replace(row, key=1, grammar=None)
    with runner.session(model):
        scheduler = Scheduler(runner, 2)
        scheduler.add(OpenRow(row), OpenRow(free))
        first, second = scheduler.step()
    assert first.tokens == [ord("1")] and second.tokens != first.tokens
    assert first.logprobs[0].likely == second.logprobs[0].likely


def test_a_row_whose_grammar_fails_ends_and_the_others_go_on(
    model, runner, template, plain
):
    grammar = json_grammar(TOO_COMPLEX)
    rows = [request(n, template, max_new_tokens=30) for n in plain]
    rows.append(request(10, template, grammar=grammar))
    scheduler, found = Scheduler(runner, 4), defaultdict(str)
    scheduler.add(*map(OpenRow, rows))
    finishes = {}
    with runner.session(model):
        while scheduler.open_rows:
            for event in scheduler.step():
                found[event.key] += event.text
                finishes |= {event.key: event.finish} if event.finish else {}
    assert finishes[10] == "failed"
    assert {number: found[number] for number in plain} == plain


@pytest.mark.parametrize("overlaps", [False, True])
def test_a_cancelled_row_frees_its_grammar(model, runner, template, overlaps):
    scheduler = Scheduler(runner, 2, overlaps=overlaps)
    row = OpenRow(request(1, template, grammar=json_grammar({"minLength": 99})))
    state = weakref.ref(row.grammar)
    scheduler.add(row)
    del row
    with runner.session(model):
        for _ in range(3):
            assert scheduler.step()  # each token is read before the next step
        (event,) = scheduler.cancel([1])
    gc.collect()
    assert event.finish == "cancelled" and state() is None


def test_a_grammar_without_a_template_is_refused():
    with pytest.raises(RequestError, match="needs a template"):
        OpenRow(GenerationRequest("row", [1], 1, grammar=json_grammar({"const": 1})))
