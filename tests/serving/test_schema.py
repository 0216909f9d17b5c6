"""Requests that are made from the API's own schema, right and wrong ones. They are
answered by an echo, so that the cost is not that of a model."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from api_server import Running, running
from echo_engine import SteadyEcho
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy
from schemathesis import Case, GenerationMode
from schemathesis.checks import CheckFunction
from schemathesis.specs.openapi.checks import positive_data_acceptance
from tiny_server import load_without_weights, serving_config

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
# A schema cannot say that a prompt must fit, or that one field needs another.
EXCLUDED: list[CheckFunction] = [positive_data_acceptance]


@pytest.fixture(name="echo", scope="module")
def _echo() -> Iterator[Running]:
    serving = serving_config(slots=64)
    with running(load_without_weights(), serving, SteadyEcho()) as api:
        yield api


def to_served(body: Any, mode: GenerationMode) -> None:
    """Let a body ask for what is served; otherwise that is the error, before all else.
    Right bodies get limits that fit, and fields that belong together."""
    if isinstance(body, dict) and isinstance(body.get("model"), str):
        body["model"] = "translator"
    if mode == GenerationMode.NEGATIVE or not isinstance(body, dict):
        return
    for name in ("max_tokens", "max_completion_tokens"):
        if body.pop(name, None):
            body["max_tokens"] = 9
    body.pop("stream_options" if not body.get("stream") else "", None)
    body.pop("top_logprobs" if not body.get("logprobs") else "", None)
    if "fields" in body:
        body["fields"] = {"source": "".join(body["fields"]) + "."}
    if isinstance(body.get("prompt"), list):
        body["prompt"] = ["A prompt.", "Another."]


def call_all(api: Running, each: int) -> tuple[int, dict[str, Counter[int]]]:
    """Call each route with so many cases of each kind, and validate the answers.

    Returns: their number, and the statuses of each route.
    """
    schema = schemathesis.openapi.from_url(f"{api.url}/openapi.json")
    statuses: dict[str, Counter[int]] = {}
    for result in schema.get_all_operations():
        operation = result.ok()
        seen = statuses.setdefault(operation.label, Counter())
        modes = [GenerationMode.POSITIVE]
        if operation.body:
            modes.append(GenerationMode.NEGATIVE)
        for mode in modes:
            call_one(operation.as_strategy(mode), mode, each, seen)
    return sum(sum(seen.values()) for seen in statuses.values()), statuses


def call_one(
    cases: SearchStrategy[Case],
    mode: GenerationMode,
    number: int,
    statuses: Counter[int],
) -> None:
    """Call a route with so many cases."""

    @seed(1)
    @settings(
        max_examples=number,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(cases)
    def run(case: Case) -> None:
        to_served(case.body, mode)
        found = case.call_and_validate(excluded_checks=EXCLUDED, timeout=60)
        statuses[found.status_code] += 1

    run()  # pylint: disable=no-value-for-parameter


def check(api: Running, each: int, least: int) -> None:
    number, statuses = call_all(api, each)
    print(number, {label: dict(seen) for label, seen in statuses.items()})
    assert number >= least
    assert all(status < 500 for seen in statuses.values() for status in seen)
    for label, seen in statuses.items():
        assert seen[200] or "{name}" in label, label
    assert not api.server.runner.engine.num_rows


def test_no_request_of_the_schema_is_answered_in_another_way(echo: Running) -> None:
    check(echo, each=30, least=200)


@pytest.mark.slow
def test_none_of_5000_requests_is_answered_in_another_way(echo: Running) -> None:
    check(echo, each=750, least=5000)
