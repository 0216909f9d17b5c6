"""Paired differences of two systems on the same resamples, and their intervals."""

import math
from dataclasses import dataclass, replace

import numpy as np

from graft.metrics.bootstrap import (
    CONFIDENCE,
    FEW_GROUPS,
    Array,
    Measured,
    Resamples,
    expanded_percentiles,
    half_width,
    percentiles,
)
from graft.metrics.skewness import skewed_bounds


@dataclass(frozen=True)
class Differences:
    """A difference between two systems, on all groups and on resamples.

    Args:
        estimate: difference of all segments.
        values: difference on the resamples, shape [resamples].
        distances: of `values` from the estimate, in standard errors of each resample,
            shape [resamples]; empty for few groups.
        gains: influence of each group on the difference by the jackknife, of mean 0,
            shape [groups]; empty for few groups.
        num_groups: number of resampled groups.
    """

    estimate: float
    values: Array
    distances: Array
    gains: Array
    num_groups: int

    def bounds(
        self, confidence: float = CONFIDENCE, shift: float = 0.0
    ) -> tuple[float, float]:
        """The interval of the difference, which may have either sign.

        It covers the expanded percentiles, the bootstrap-t interval and the one of
        `graft.metrics.skewness`. The first are too narrow for skewed differences, the
        second if a few extreme ones dominate, and both if the tail is so long that most
        samples lack its end; docs/LOG.md has the error rates. For few groups it is
        Student's t with the standard error of the resamples (section 5.2 of Hesterberg
        2015, arXiv:1411.5279); for a single group it is infinite.

        Args:
            confidence: share of intervals that contain the true difference.
            shift: standard errors of the resampling by which the bounds are moved
                outwards (`graft.metrics.bootstrap.percentiles`).
        """
        if self.num_groups == 1:
            return -np.inf, np.inf
        if self.num_groups < FEW_GROUPS:
            spread = float(np.std(self.values))
            spread *= 1 + shift / math.sqrt(2 * len(self.values))
            margin = half_width(self.num_groups, confidence) * spread
            return self.estimate - margin, self.estimate + margin
        near, far = percentiles(self.distances, (1 - confidence) / 2, shift)
        low, high = expanded_percentiles(
            self.values, self.num_groups, confidence, shift
        )
        spread = float(np.sqrt(np.mean(self.gains**2)))
        lowest, highest = skewed_bounds(self.gains, confidence)
        return (
            self.estimate + min(low - self.estimate, -far * spread, lowest),
            self.estimate + max(high - self.estimate, -near * spread, highest),
        )

    def extended(self, more: "Differences") -> "Differences":
        """The same difference with additional resamples."""
        return replace(
            self,
            values=np.concatenate([self.values, more.values]),
            distances=np.concatenate([self.distances, more.distances]),
        )


def differences(base: Measured, tuned: Measured, draws: Resamples) -> Differences:
    """tuned − base of two systems that were measured on the same resamples.

    Standard errors for the bootstrap-t interval are those of the jackknife. To first
    order, the influence of a group on the score is the same in each resample, so one
    jackknife of the segments gives the standard errors of all resamples. The variance
    of the segments is included as one additional group; otherwise a resample of equal
    differences would have a standard error of zero.
    Sources: Efron 1979, "Bootstrap methods: another look at the jackknife", Annals of
    Statistics 7(1), remark E; Hall 1988, "Theoretical comparison of bootstrap
    confidence intervals", Annals of Statistics 16(3).
    """
    estimate = tuned.score.value - base.score.value
    values, left_out = tuned.values - base.values, tuned.left_out - base.left_out
    groups = draws.weights.shape[1]
    if groups < FEW_GROUPS:
        return Differences(estimate, values, np.empty(0), np.empty(0), groups)
    gains = (groups - 1) * (left_out.mean() - left_out)
    variance = np.mean(gains**2)
    means = draws.weights @ gains / groups
    variances = np.maximum(draws.weights @ gains**2 / groups - means**2, 0.0)
    errors = np.sqrt((groups * variances + variance) / (groups + 1))
    # Of a score that no group changes, all resamples have the same.
    distances = (values - estimate) / np.where(errors > 0, errors, 1.0)
    return Differences(estimate, values, distances, gains, groups)
