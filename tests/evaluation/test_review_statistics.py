import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from graft.evaluation.review.statistics import agreement, mean_over_items, sign_test

NAN = math.nan
# Krippendorff 2011, section D: four observers, twelve units.
PUBLISHED = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, NAN, NAN, NAN],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NAN, 3],
        [NAN, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NAN],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NAN],
    ]
)
matrices = st.integers(1, 3).flatmap(
    lambda raters: st.lists(
        st.lists(st.sampled_from([0, 0.5, 1, NAN]), min_size=raters, max_size=raters),
        min_size=1,
        max_size=12,
    ).map(lambda rows: np.array(rows).T)
)


def test_a_mean_is_over_all_answers_and_a_tie_is_half_a_win() -> None:
    votes = np.array([[1, 0.5, 0, 1], [1, NAN, 1, NAN]])
    score = mean_over_items(votes, seed=0)
    assert score is not None
    assert score.value == pytest.approx(4.5 / 6)
    assert 0 <= score.low <= score.value <= score.high <= 1


def test_the_interval_is_that_of_the_binomial_for_wins_and_losses() -> None:
    votes = np.array([[1.0] * 120 + [0.0] * 80])
    score = mean_over_items(votes, seed=3)
    assert score is not None
    low, high = binom.ppf([0.025, 0.975], 200, 0.6) / 200
    assert (score.low, score.high) == pytest.approx((low, high), abs=0.01)


def test_raters_who_agree_do_not_narrow_the_interval() -> None:
    votes = np.array([[1, 0, 1, 1, 0.5, 0, 1, 1, 0, 1]])
    alone = mean_over_items(votes, seed=1)
    assert mean_over_items(np.repeat(votes, 5, axis=0), seed=1) == alone


def test_without_answers_there_is_no_mean() -> None:
    assert mean_over_items(np.full((2, 3), NAN), seed=0) is None
    assert mean_over_items(np.empty((1, 0)), seed=0) is None


def test_the_sign_test_is_that_of_a_fair_coin() -> None:
    votes = np.array([[1.0] * 8 + [0.0] * 2 + [0.5] * 5 + [NAN]])
    found = sign_test(votes)
    assert (found.num_wins, found.num_losses, found.num_ties) == (8, 2, 5)
    # twice the chance of 0, 1 or 2 heads in ten throws
    assert found.p_value == pytest.approx(2 * (1 + 10 + 45) / 2**10)


def test_an_item_counts_once_by_most_of_its_raters() -> None:
    votes = np.array([[1, 1, 0, 0.5, 1], [1, 0, 0, 1, NAN], [0, NAN, NAN, 0.5, NAN]])
    found = sign_test(votes)
    assert (found.num_wins, found.num_losses, found.num_ties) == (3, 1, 1)


def test_without_a_decided_item_there_is_no_p_value() -> None:
    assert sign_test(np.array([[0.5, 0.5]])).p_value is None
    assert sign_test(np.array([[NAN, NAN]])).p_value is None


@given(matrices)
def test_swapping_the_sides_swaps_wins_and_losses(votes: np.ndarray) -> None:
    here, there = sign_test(votes), sign_test(1 - votes)
    assert (here.num_wins, here.p_value) == (there.num_losses, there.p_value)
    mean, other = mean_over_items(votes, 0), mean_over_items(1 - votes, 0)
    assert (mean is None) == (other is None)
    if mean is not None and other is not None:
        assert mean.value == pytest.approx(1 - other.value)
        assert mean.low == pytest.approx(1 - other.high)


def test_alpha_is_as_published() -> None:
    nominal, ordinal = agreement(PUBLISHED, "nominal"), agreement(PUBLISHED, "ordinal")
    assert nominal.alpha == pytest.approx(0.743, abs=5e-4)
    assert ordinal.alpha == pytest.approx(0.815, abs=5e-4)


def test_alpha_equals_the_value_computed_by_hand() -> None:
    # 2 of 8 values disagree; by chance 2 * 3 * 5 / 7 of 8 would.
    found = agreement(np.array([[0, 0, 1, 1], [0, 1, 1, 1]]) * 1.0, "nominal")
    assert found.alpha == pytest.approx(1 - 2 / (2 * 3 * 5 / 7))
    assert not found.reason


def test_an_item_with_one_rater_does_not_count_for_agreement() -> None:
    both = np.array([[0, 0, 1, 1], [0, 1, 1, 1]]) * 1.0
    more = np.hstack([both, [[2, NAN], [NAN, NAN]]])
    assert agreement(more, "ordinal") == agreement(both, "ordinal")


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ([[1, 2, 3]], "fewer than two raters"),
        ([[1, 2, 3], [NAN, NAN, NAN]], "fewer than two raters"),
        ([[NAN], [NAN]], "fewer than two raters"),
        ([[1, NAN], [NAN, 2]], "no item has answers of two"),
        ([[1, 1, 2], [1, 1, NAN]], "all answers are equal"),
    ],
)
def test_agreement_that_cannot_be_computed_has_a_reason(
    values: list[list[float]], reason: str
) -> None:
    found = agreement(np.array(values), "nominal")
    assert found.alpha is None
    assert reason in found.reason
