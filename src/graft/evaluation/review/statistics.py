"""Statistics of raters' responses. Missing answers are NaN."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from graft.metrics.bootstrap import Array, interval, resample
from graft.records import Score

NUM_RESAMPLES = 2_000
LOSS, TIE, WIN = 0.0, 0.5, 1.0
"""A vote on a pair, for the tuned model."""


@dataclass(frozen=True)
class SignTest:
    """Items that most raters decide for the tuned model, for the base, or for neither.

    `p_value` is None if no item is decided.
    """

    num_wins: int
    num_losses: int
    num_ties: int
    p_value: float | None


@dataclass(frozen=True)
class Agreement:
    """Krippendorff's alpha: 1 is perfect, 0 is chance; None with a `reason`."""

    alpha: float | None
    reason: str = ""


def mean_over_items(values: Array, seed: int) -> Score | None:
    """Mean of all values, with its bootstrap interval over items.

    Items are resampled, not values, because answers to the same item are not
    independent.

    Args:
        values: shape [raters, items].
    Returns: None if there are no values.
    """
    present = ~np.isnan(values)
    judged = present.any(axis=0)
    if not judged.any():
        return None
    sums = np.where(present, values, 0).sum(axis=0)
    terms = np.stack([sums, present.sum(axis=0)], axis=1)[judged]  # [items, 2]
    draws = resample(len(terms), NUM_RESAMPLES, seed)
    return interval(lambda total: total[..., 0] / total[..., 1], terms, draws)


def sign_test(votes: Array) -> SignTest:
    """Two-sided sign test over items.

    Args:
        votes: LOSS, TIE or WIN. Shape [raters, items]. Each item counts once, by the
            sum of its votes; items without a vote and ties are left out.
    Source: Dixon and Mood 1946, "The statistical sign test", JASA 41.
    """
    from scipy.stats import binomtest

    judged = votes[:, ~np.isnan(votes).all(axis=0)]
    sums = np.nansum(judged - TIE, axis=0)
    wins, losses = int((sums > 0).sum()), int((sums < 0).sum())
    decided = wins + losses
    p_value = float(binomtest(wins, decided).pvalue) if decided else None
    return SignTest(wins, losses, judged.shape[1] - decided, p_value)


def agreement(values: Array, level: Literal["nominal", "ordinal"]) -> Agreement:
    """Krippendorff's alpha between raters, over items with two or more answers.

    Args:
        values: the answers as numbers. Shape [raters, items].
        level: whether the order of the numbers is meaningful.
    Source: Krippendorff 2011, "Computing Krippendorff's alpha-reliability".
    """
    present = ~np.isnan(values)
    shared = values[:, present.sum(axis=0) > 1]
    if present.any(axis=1).sum() < 2:
        return Agreement(None, "fewer than two raters")
    if not shared.size:
        return Agreement(None, "no item has answers of two raters")
    if len(np.unique(shared[~np.isnan(shared)])) < 2:
        return Agreement(None, "all answers are equal: chance agreement is 1, too")
    import krippendorff

    alpha = krippendorff.alpha(reliability_data=shared, level_of_measurement=level)
    return Agreement(float(alpha))
