"""Intervals by drawing test examples anew, those that belong together as one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graft.records import Score

Array = NDArray[np.float64]

CONFIDENCE = 0.95
FEW_GROUPS = 6
"""Below it resamples alone cannot tell a chance from a difference: of five groups all
differ in one direction in one case of 16."""


@dataclass(frozen=True)
class Resamples:
    """Bootstrap draws of groups of segments.

    Args:
        weights: how often each resample drew each group, shape [resamples, groups].
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

        Percentiles, expanded: of n groups the resamples spread like z and without the
        factor n / (n - 1), where a score spreads like Student's t. The shares that are
        left out make up for both. The bounds stay in the metric's range.
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

        It spans the expanded percentiles and the bootstrap-t interval. The first are
        too short where single differences are skewed, the second where a few far ones
        are what differs; docs/LOG.md has the errors of both. Of few groups it is
        Student's t, with the resamples' standard error (section 5.2 there); of one
        group nothing is known.

        Args:
            estimate: of all segments.
            values: on the resamples, shape [resamples].
            left_out: without each group, shape [groups]; not needed of few groups.
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
        """The bootstrap-t interval, with the jackknife's standard errors.

        What a score gains by a group is the same on each resample to first order, so
        one jackknife of the segments serves for the standard errors of all resamples.
        These count the variance of the segments as one further group: otherwise a
        resample of equal differences would be infinitely far from the estimate.
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
        """Of the interval to each side, in standard deviations of the resamples."""
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

    Segments of one group say much the same, so they are drawn together; without
    `groups` each segment is drawn alone.
    Sources: Koehn 2004, "Statistical significance tests for machine translation
    evaluation" (W04-3250); Field and Welsh 2007, "Bootstrapping clustered data", JRSS B
    69, for groups.
    Raises: ValueError if there is no segment, or another number of groups.
    """
    if num_segments < 1:
        raise ValueError("no segment to resample")
    names = range(num_segments) if groups is None else groups
    if len(names) != num_segments:
        raise ValueError(f"{len(names)} groups of {num_segments} segments")
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
    each group, shape [groups]; that is empty where groups are few."""

    score: Score
    values: Array
    left_out: Array


def measure(
    value: Callable[[Array], Array], terms: Array, draws: Resamples, signature: str = ""
) -> Measured:
    """A metric of all segments, of each resample, and without each group.

    Args:
        value: sums, shape [..., terms] → scores, shape [...].
        terms: of the segments, shape [segments, terms].
    """
    groups = draws.groups(terms)
    total = terms.sum(axis=0)
    values = value(draws.weights @ groups)
    score = Score(float(value(total)), *draws.bounds(values), signature)
    is_few = len(groups) < FEW_GROUPS  # without its only group it may have no value
    return Measured(score, values, np.empty(0) if is_few else value(total - groups))


def interval(
    value: Callable[[Array], Array], terms: Array, draws: Resamples, signature: str = ""
) -> Score:
    """Score of all segments, with the interval of its resamples."""
    return measure(value, terms, draws, signature).score
