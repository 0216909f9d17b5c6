"""Intervals cover the true value as stated, also for few examples and for groups."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graft.metrics.bootstrap import Array, interval, measure, resample
from graft.metrics.comparing import difference
from graft.metrics.statistics import mean


def averages(values: Array) -> Array:
    """The summable terms of a mean, shape [segments, 2]."""
    return np.stack([values, np.ones_like(values)], axis=1)


Draw = Callable[[np.random.Generator, int], Array]
DISTRIBUTIONS: dict[str, Draw] = {
    "normal": lambda g, n: g.normal(size=n),
    "discrete": lambda g, n: g.choice([-1.0, 0.0, 1.0], n, p=[0.2, 0.6, 0.2]),
    "exponential": lambda g, n: g.exponential(size=n) - 1,
    "lognormal": lambda g, n: g.lognormal(0, 0.5, n) - np.exp(0.125),
}
"""Distributions of differences whose mean is 0."""


def false_alarms(
    number: int,
    num_trials: int,
    groups: int | None = None,
    num_resamples: int = 400,
    draw: Draw = DISTRIBUTIONS["normal"],
) -> float:
    """Share of trials in which a true difference of 0 is significant."""
    generator = np.random.default_rng(3)
    labels = None if groups is None else [str(i % groups) for i in range(number)]
    outside = 0
    for trial in range(num_trials):
        values = draw(generator, number)
        if groups is not None:
            values += 2 * draw(generator, groups)[np.arange(number) % groups]
        draws = resample(number, num_resamples, trial, labels)
        zero = measure(mean, averages(0 * values), draws)
        found = difference(zero, measure(mean, averages(values), draws), draws)
        outside += found.is_significant
    return outside / num_trials


@pytest.mark.parametrize("number", [3, 5, 8, 20, 50])
def test_without_a_difference_about_one_in_twenty_is_significant(number):
    # 1,200 trials: three standard errors are 1.9 percentage points.
    assert 0.03 < false_alarms(number, 1200) < 0.075


@pytest.mark.parametrize("name", ["discrete", "exponential", "lognormal"])
def test_skewed_differences_of_20_examples_are_no_more_often_significant(name):
    # Percentiles alone: 9 to 10 % of exponential and lognormal differences.
    assert 0.02 < false_alarms(20, 1200, draw=DISTRIBUTIONS[name]) < 0.065


def test_skewed_groups_of_examples_are_no_more_often_significant():
    skewed = DISTRIBUTIONS["lognormal"]
    assert 0.02 < false_alarms(60, 1200, groups=20, draw=skewed) < 0.065


def test_correlated_examples_do_not_become_significant_by_chance():
    assert false_alarms(60, 600, groups=8) < 0.09
    generator = np.random.default_rng(3)
    values = np.repeat(generator.normal(size=8), 8)
    apart = interval(mean, averages(values), resample(64, 400, 0))
    labels = [str(i // 8) for i in range(64)]
    together = interval(mean, averages(values), resample(64, 400, 0, labels))
    assert together.value == apart.value
    assert together.high - together.low > 2 * (apart.high - apart.low)


@given(st.lists(st.floats(-50, 50), min_size=2, max_size=30), st.integers(0, 99))
def test_groups_of_one_are_drawn_like_no_groups(values, seed):
    terms = averages(np.array(values))
    labels = [f"text {i}" for i in range(len(values))]
    alone = interval(mean, terms, resample(len(values), 100, seed))
    assert interval(mean, terms, resample(len(values), 100, seed, labels)) == alone


@given(st.lists(st.sampled_from("abcdef"), min_size=1, max_size=30), st.integers(0, 9))
def test_the_segments_of_a_group_are_drawn_together_and_names_do_not_matter(
    labels, seed
):
    draws = resample(len(labels), 100, seed, labels)
    groups = len(set(labels))
    assert np.all(draws.weights.sum(axis=1) == groups)
    counted = draws.weights @ draws.groups(np.eye(len(labels)))
    for i, one in enumerate(labels):
        for j, other in enumerate(labels):
            if one == other:
                assert np.array_equal(counted[:, i], counted[:, j])
    renamed = resample(len(labels), 100, seed, [label.upper() for label in labels])
    assert np.array_equal(renamed.weights, draws.weights)


def test_a_single_group_has_an_infinite_interval():
    draws = resample(3, 100, 0, ["a", "a", "a"])
    base, tuned = (
        measure(mean, averages(np.array(values)), draws)
        for values in ([0.0, 0.0, 0.0], [5.0, 6.0, 7.0])
    )
    found = difference(base, tuned, draws)
    assert found.difference.value == 6.0 and not found.is_significant


def test_a_wrong_number_of_groups_is_an_error():
    with pytest.raises(ValueError, match="2 groups for 3 segments"):
        resample(3, 100, 0, ["a", "b"])


@given(
    st.lists(st.floats(-50, 50), min_size=6, max_size=30),
    st.lists(st.floats(-50, 50), min_size=30, max_size=30),
    st.integers(0, 99),
)
def test_a_difference_lies_in_its_interval_and_turns_with_its_sign(one, other, seed):
    draws = resample(len(one), 100, seed)
    found = [
        measure(mean, averages(np.array(values)), draws)
        for values in (one, other[: len(one)])
    ]
    there = difference(*found, draws).difference
    back = difference(*reversed(found), draws).difference
    assert there.low - 1e-9 <= there.value <= there.high + 1e-9
    assert np.allclose([-there.low, -there.high], [back.high, back.low])


def test_equal_differences_have_an_interval_of_no_width():
    draws = resample(8, 100, 0)
    zero, one = (measure(mean, averages(np.full(8, x)), draws) for x in (0.0, 1.0))
    found = difference(zero, one, draws).difference
    assert (found.low, found.value, found.high) == (1.0, 1.0, 1.0)
