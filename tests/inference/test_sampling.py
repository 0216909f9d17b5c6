"""Filters equal a plain reference and transformers'; draws follow the probabilities."""

import math
from collections import Counter
from collections.abc import Sequence
from itertools import product
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import (
    LogitsProcessorList,
    MinPLogitsWarper,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from graft.inference.requests import GenerationRequest, Sampling
from graft.inference.sampling import draw, rank
from graft.inference.seeds import several, uniform

MANY = 2**31 - 1
TEMPERATURES = st.sampled_from([1e-30, 1e-6, 0.3, 1.0, 2.5, 1e6, 1e30])
FILTERS = st.tuples(
    st.sampled_from([1, 2, 3, 7, MANY]) | st.integers(1, 40),
    st.sampled_from([0.0, 0.5, 2.0]) | st.floats(0.01, 0.99),
    st.sampled_from([0.0, 1.0]) | st.floats(0.01, 0.99),
)
TIED = st.lists(st.integers(-6, 6).map(lambda n: n / 2), min_size=1, max_size=40)
ANY = st.lists(st.floats(-1e4, 1e4, width=32), min_size=1, max_size=40)


def ranked(logits: Sequence[float], temperature: float, *filters: float) -> Any:
    settings = (torch.tensor([[float(value)]]) for value in (temperature, *filters))
    shares, order = rank(torch.tensor([logits]), *settings)
    return shares[0].tolist(), order[0].tolist()


def allowed(
    logits: Sequence[float],
    temperature: float,
    top_k: float,
    top_p: float,
    min_p: float,
    slack: float,
) -> set[int]:
    """Tokens that pass the filters when each lets `slack` more through."""
    order = sorted(range(len(logits)), key=lambda token: (-logits[token], token))
    best = logits[order[0]]
    weights = [math.exp((logits[token] - best) / temperature) for token in order]
    weights = weights[: min(len(order), int(top_k))]
    total, before, found = sum(weights), 0.0, {order[0]}
    for token, weight in zip(order, weights):
        likely_enough = weight >= min_p - slack and weight > -slack
        if before < top_p + slack and likely_enough:
            found.add(token)
        before += weight / total
    return found


@given(st.one_of(TIED, ANY), TEMPERATURES, FILTERS)
def test_allowed_tokens_are_those_of_a_plain_reference(logits, temperature, filters):
    shares, order = ranked(logits, temperature, *filters)
    found = {token for share, token in zip(shares, order) if share > 0}
    least = allowed(logits, temperature, *filters, slack=-1e-6)
    assert least <= found <= allowed(logits, temperature, *filters, slack=1e-6)


@given(TIED, st.integers(1, 40))
def test_of_equal_tokens_the_lower_ids_stay(logits, top_k):
    shares, order = ranked(logits, 1.0, top_k, 2.0, 0.0)
    expected = sorted(range(len(logits)), key=lambda token: (-logits[token], token))
    assert order == expected
    assert sum(share > 0 for share in shares) == min(top_k, len(logits))


@given(
    st.lists(st.floats(-20, 20, width=32), min_size=2, max_size=40, unique=True),
    st.floats(0.1, 5),
    FILTERS,
)
def test_probabilities_are_those_of_transformers(logits, temperature, filters):
    top_k, top_p, min_p = filters
    least = allowed(logits, temperature, *filters, slack=-1e-6)
    if least != allowed(logits, temperature, *filters, slack=1e-6):
        return  # rounding decides
    warpers = LogitsProcessorList(
        [
            TemperatureLogitsWarper(temperature),
            TopKLogitsWarper(min(top_k, len(logits))),
            TopPLogitsWarper(min(top_p, 1.0)),
            MinPLogitsWarper(min_p),
        ]
    )
    expected = warpers(torch.zeros(1, 1), torch.tensor([logits])).softmax(dim=-1)[0]
    shares, order = ranked(logits, temperature, *filters)
    total = sum(shares)
    found = [share / total for share in shares]
    assert found == pytest.approx(expected[order].tolist(), abs=1e-5)


@given(st.one_of(TIED, ANY), TEMPERATURES, FILTERS)
def test_every_token_is_drawn_as_often_as_its_probability_says(
    logits, temperature, filters
):
    count = 1024
    shares, order = ranked(logits, temperature, *filters)
    numbers = torch.arange(count)[:, None] / count
    rows = (torch.tensor([values]).expand(count, -1) for values in (shares, order))
    drawn = Counter(draw(*rows, numbers).tolist())
    for share, token in zip(shares, order):
        assert abs(drawn[token] / count - share / sum(shares)) < 2 / count
        assert drawn[token] == 0 or share > 0


def test_numbers_are_uniform_and_differ_by_seed_and_place():
    seeds = [*range(40), *(n << 32 for n in range(1, 40)), -1, 2**63, 10**30]
    numbers = [uniform(seed, n) for seed, n in product(seeds, range(100))]
    assert 0 <= min(numbers) and max(numbers) < 1
    assert torch.tensor(numbers).double().tolist() == numbers
    assert len(set(numbers)) > 0.99 * len(numbers)
    tenths = Counter(int(10 * number) for number in numbers)
    assert all(abs(tenths[n] / len(numbers) - 0.1) < 0.015 for n in range(10))
    low = [number < 0.5 for number in numbers]
    for lag in (1, 100):  # the next place, the next seed
        same = [one == other for one, other in zip(low, low[lag:])]
        assert abs(sum(same) / len(same) - 0.5) < 0.03


def test_several_completions_have_keys_and_seeds_of_their_own():
    request = GenerationRequest("a", [1], 5, sampling=Sampling(1.0, top_k=9, seed=7))
    first, *others = several(request, 4)
    assert first.sampling == request.sampling and first.prompt == request.prompt
    assert [row.key for row in (first, *others)] == [("a", i) for i in range(4)]
    assert all((row.sampling.top_k, row.max_new_tokens) == (9, 5) for row in others)
    rows = range(200)
    seeds = [
        one.sampling.seed
        for row in rows
        for one in several(
            GenerationRequest(row, [1], 5, sampling=Sampling(1.0, seed=row)), 20
        )
    ]
    assert len(set(seeds)) == 20 * len(rows)
