"""Rare strata, repeated or weighted."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graft.training.oversampling import loss_weights, repeat_counts

STRATA = st.lists(st.sampled_from("abc"), min_size=1, max_size=60).map(np.array)


@given(STRATA)
def test_strength_zero_changes_nothing(strata: np.ndarray) -> None:
    trained = np.full(len(strata), 3)
    assert (repeat_counts(strata, 0.0) == 1).all()
    assert loss_weights(strata, trained, 0.0) == pytest.approx(1)


@given(STRATA, st.floats(0, 1))
def test_every_example_is_seen_and_strata_become_more_equal(
    strata: np.ndarray, strength: float
) -> None:
    times = repeat_counts(strata, strength)
    assert (times >= 1).all()
    before = np.unique(strata, return_counts=True)[1]
    after = np.array([times[strata == name].sum() for name in np.unique(strata)])
    assert after.max() / after.min() <= before.max() / before.min() * 1.5


def test_full_strength_makes_strata_equal() -> None:
    strata = np.array(["a"] * 90 + ["b"] * 10 + ["c"] * 30)
    times = repeat_counts(strata, 1.0)
    assert [int(times[strata == name].sum()) for name in "abc"] == [90, 90, 90]


@given(STRATA, st.floats(0, 1), st.randoms())
def test_weights_do_not_change_the_scale_of_the_loss(
    strata: np.ndarray, strength: float, draw
) -> None:
    trained = np.array([draw.randint(1, 9) for _ in strata])
    weights = loss_weights(strata, trained, strength)
    assert float(weights @ trained) == pytest.approx(float(trained.sum()))


def test_at_full_strength_each_stratum_has_an_equal_share_of_the_loss() -> None:
    strata = np.array(["a"] * 9 + ["b"])
    trained = np.array([4] * 9 + [2])
    weights = loss_weights(strata, trained, 1.0) * trained
    assert weights[:9].sum() == pytest.approx(weights[9:].sum())
