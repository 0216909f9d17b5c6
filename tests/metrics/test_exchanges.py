"""Exchanging the answers of two equal systems gives uniform p-values."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graft.metrics.exchanges import exchange_test, sign_flip_test
from graft.metrics.statistics import mean


def test_right_and_wrong_answers_have_the_exact_p_value() -> None:
    gains = np.array([1.0] * 9 + [-1.0] + [0.0] * 30)
    found = sign_flip_test(gains, 0.05, seed=0)
    assert found.p_value == pytest.approx(11 / 1024) and found.error == 0


def test_few_differences_have_the_exact_p_value() -> None:
    gains = np.array([1.0, 2.0, 3.0, 4.0, -0.5])
    found = sign_flip_test(gains, 0.05, seed=0)
    assert found.p_value == pytest.approx(2 / 32) and found.error == 0


def test_systems_without_a_difference_are_never_different() -> None:
    same = np.ones((9, 2))
    assert sign_flip_test(np.zeros(9), 0.05, 0).p_value == 1
    assert exchange_test(mean, same, same, 0.05, 0).p_value == 1


@given(st.lists(st.floats(-5, 5), min_size=8, max_size=40), st.integers(0, 9))
def test_exchanging_answers_flips_the_signs_of_differences(
    gains: list[float], seed: int
) -> None:
    terms = np.stack([np.array(gains), np.ones(len(gains))], axis=1)
    flipped = sign_flip_test(np.array(gains), 0.5, seed)
    exchanged = exchange_test(mean, terms * [0.0, 1.0], terms, 0.5, seed)
    error = 5 * max(flipped.error, exchanged.error) + 0.002
    assert abs(flipped.p_value - exchanged.p_value) <= error


def test_p_values_without_a_difference_are_uniform() -> None:
    generator = np.random.default_rng(0)
    found = []
    for seed in range(200):
        one, other = generator.normal(size=(2, 30, 1))
        pair = [np.hstack([terms, np.ones((30, 1))]) for terms in (one, other)]
        found.append(exchange_test(mean, *pair, 0.05, seed).p_value)
    # Three standard errors of 200 p-values at one half are 0.11.
    assert abs(np.mean(np.array(found) <= 0.5) - 0.5) < 0.11
    assert np.mean(np.array(found) <= 0.05) < 0.1
