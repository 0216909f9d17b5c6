"""Bootstrap confidence intervals, resampling groups of test examples."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graft.records import Score

Array = NDArray[np.float64]

CONFIDENCE = 0.95
FEW_GROUPS = 6
"""With fewer groups, resampling alone cannot show significance: without a true
difference, five groups all differ in the same direction in one case of 16."""


@dataclass(frozen=True)
class Resamples:
    """Bootstrap draws of groups of segments.

    Args:
        weights: count of each group in each resample, shape [resamples, groups].
        codes: the group of each segment, from 0. Shape [segments].
    """

    weights: Array
    codes: NDArray[np.intp]

    def groups(self, terms: Array) -> Array:
        """Terms of segments, shape [segments, terms] → of groups, [groups, terms]."""
        grouped = np.zeros((self.weights.shape[1], terms.shape[1]))
        np.add.at(grouped, self.codes, terms)
        return grouped

    def bounds(self, values: Array) -> tuple[float, float]:
        """The 95 % interval of a score, from its values on the resamples.

        Expanded percentiles: with n groups, resamples spread like a normal
        distribution without the factor n / (n - 1), while the score follows Student's
        t. Wider percentiles correct for both. The bounds stay in the metric's range.
        Source: Hesterberg 2015, "What teachers should know about the bootstrap", The
        American Statistician 69(4), section 5.3 (arXiv:1411.5279).
        """
        from scipy.special import ndtr  # pylint: disable=no-name-in-module

        tail = 100 * float(ndtr(-self._width()))
        low, high = np.percentile(values, [tail, 100 - tail])
        return float(low), float(high)

    def difference_bounds(
        self, estimate: float, values: Array, left_out: Array
    ) -> tuple[float, float]:
        """The 95 % interval of a difference, which may have either sign.

        It covers both the expanded percentiles and the bootstrap-t interval. The
        first are too narrow for skewed differences, the second if a few extreme ones
        dominate; docs/LOG.md has the error rates of both. For few groups it is
        Student's t with the standard error of the resamples (section 5.2 there); for a
        single group it is infinite.

        Args:
            estimate: difference of all segments.
            values: difference on the resamples, shape [resamples].
            left_out: difference without each group, shape [groups]; unused for few
                groups.
        """
        number = self.weights.shape[1]
        if number == 1:
            return -np.inf, np.inf
        if number < FEW_GROUPS:
            margin = self._width() * float(np.std(values))
            return estimate - margin, estimate + margin
        both = self.bounds(values), self._studentized(estimate, values, left_out)
        low, high = zip(*both, strict=True)
        return min(low), max(high)

    def _studentized(
        self, estimate: float, values: Array, left_out: Array
    ) -> tuple[float, float]:
        """The bootstrap-t interval, with jackknife standard errors.

        To first order, the influence of a group on the score is the same in each
        resample, so one jackknife of the segments gives the standard errors of all
        resamples. The variance of the segments is included as one additional group;
        otherwise a resample of equal differences would have a standard error of zero.
        Sources: Efron 1979, "Bootstrap methods: another look at the jackknife", Annals
        of Statistics 7(1), remark E; Hall 1988, "Theoretical comparison of bootstrap
        confidence intervals", Annals of Statistics 16(3).
        """
        number = len(left_out)
        gains = (number - 1) * (left_out.mean() - left_out)
        variance = np.mean(gains**2)
        means = self.weights @ gains / number
        variances = np.maximum(self.weights @ gains**2 / number - means**2, 0.0)
        errors = np.sqrt((number * variances + variance) / (number + 1))
        error = np.sqrt(variance)
        # Of a score that no group changes, all resamples have the same.
        distances = (values - estimate) / np.where(errors > 0, errors, 1.0)
        shares = [50 * (1 + CONFIDENCE), 50 * (1 - CONFIDENCE)]
        far, near = np.percentile(distances, shares)
        return float(estimate - far * error), float(estimate - near * error)

    def _width(self) -> float:
        """Half the width of the interval, in standard deviations of the resamples."""
        from scipy.special import stdtrit  # pylint: disable=no-name-in-module

        number = self.weights.shape[1]
        if number == 1:
            return 0.0
        factor = np.sqrt(number / (number - 1))
        return float(stdtrit(number - 1, 0.5 + CONFIDENCE / 2) * factor)


def resample(
    num_segments: int,
    num_resamples: int,
    seed: int,
    groups: Sequence[str] | None = None,
) -> Resamples:
    """Draw groups with replacement, as many as there are.

    Segments of one group are correlated, so they are drawn together; without `groups`
    each segment is a group.
    Sources: Koehn 2004, "Statistical significance tests for machine translation
    evaluation" (W04-3250); Field and Welsh 2007, "Bootstrapping clustered data", JRSS B
    69, for groups.
    Raises: ValueError if there are no segments, or not one group for each.
    """
    if num_segments < 1:
        raise ValueError("no segments to resample")
    names = range(num_segments) if groups is None else groups
    if len(names) != num_segments:
        raise ValueError(f"{len(names)} groups for {num_segments} segments")
    places: dict[Any, int] = {}
    codes = np.array([places.setdefault(name, len(places)) for name in names])
    number = len(places)
    generator = np.random.default_rng(seed)
    drawn = generator.integers(number, size=(num_resamples, number))
    drawn += np.arange(num_resamples)[:, None] * number
    counts = np.bincount(drawn.ravel(), minlength=num_resamples * number)
    weights = counts.reshape(num_resamples, number).astype(np.float64)
    return Resamples(weights, codes)


@dataclass(frozen=True)
class Measured:
    """A score, its value on each resample, shape [resamples], and its value without
    each group, shape [groups], which is empty if there are few groups."""

    score: Score
    values: Array
    left_out: Array


def measure(
    value: Callable[[Array], Array], terms: Array, draws: Resamples, signature: str = ""
) -> Measured:
    """A metric on all segments, on each resample, and without each group.

    Args:
        value: sums, shape [..., terms] → scores, shape [...].
        terms: of the segments, shape [segments, terms].
    """
    groups = draws.groups(terms)
    total = terms.sum(axis=0)
    values = value(draws.weights @ groups)
    score = Score(float(value(total)), *draws.bounds(values), signature)
    is_few = len(groups) < FEW_GROUPS  # without the only group it may be undefined
    return Measured(score, values, np.empty(0) if is_few else value(total - groups))


def interval(
    value: Callable[[Array], Array], terms: Array, draws: Resamples, signature: str = ""
) -> Score:
    """Score of all segments with its bootstrap interval."""
    return measure(value, terms, draws, signature).score
