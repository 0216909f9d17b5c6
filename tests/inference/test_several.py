"""Several completions of one prompt."""

import copy
from collections import defaultdict
from typing import Any

import pytest

from graft.inference.batching import run_requests
from graft.inference.requests import GenerationRequest, Sampling
from graft.inference.seeds import several

PROMPTS = [list(range(20, 50)), list(range(60, 75))]


def complete(model: Any, requests: list[GenerationRequest]) -> dict[Any, list[int]]:
    """Tokens of each request, when all run at once."""
    found: dict[Any, list[int]] = defaultdict(list)
    for event in run_requests(model, requests, len(requests)):
        found[event.key] += event.tokens
    return found


@pytest.mark.parametrize("ways", [Sampling(), Sampling(temperature=1.0, seed=3)])
def test_equal_prompts_are_computed_once_and_answered_as_alone(adapted, ways):
    rows = [
        one
        for prompt in PROMPTS
        for adapter in (None, "champion", "challenger")
        for one in several(
            GenerationRequest((prompt[0], adapter), prompt, 7, adapter, sampling=ways),
            3,
        )
    ]
    alone: dict[Any, Any] = {}
    for row in rows:
        alone |= complete(adapted, [row])
    other, widths = copy.deepcopy(adapted), []
    inner, kind = other.get_base_model(), type(other.get_base_model())

    def forward(**given: Any) -> Any:
        widths.append(given["input_ids"].shape[1])
        return kind.forward(inner, **given)

    inner.forward = forward
    assert complete(other, rows) == alone
    assert widths == [3 * sum(map(len, PROMPTS)), *(6 * [1])]
    assert len(set(map(tuple, alone.values()))) == (18 if ways.temperature else 6)
