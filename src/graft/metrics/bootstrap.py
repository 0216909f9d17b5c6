"""Bootstrap confidence intervals, resampling groups of test examples."""

import math
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

        The bounds stay in the metric's range.
        """
        return expanded_percentiles(values, self.weights.shape[1])


def expanded_percentiles(
    values: Array, number: int, confidence: float = CONFIDENCE, shift: float = 0.0
) -> tuple[float, float]:
    """Bounds of the interval of a value on resamples of `number` groups.

    With n groups, resamples spread like a normal distribution without the factor
    n / (n - 1), while the score follows Student's t. Wider percentiles correct for
    both.
    Source: Hesterberg 2015, "What teachers should know about the bootstrap", The
    American Statistician 69(4), section 5.3 (arXiv:1411.5279).

    Args:
        values: on the resamples, shape [resamples].
        number: of groups.
        confidence: share of intervals that contain the true value.
        shift: as of `percentiles`.
    """
    from scipy.special import ndtr  # pylint: disable=no-name-in-module

    return percentiles(values, float(ndtr(-half_width(number, confidence))), shift)


def percentiles(values: Array, tail: float, shift: float = 0.0) -> tuple[float, float]:
    """The values that have the share `tail` below and above them.

    The share of resamples beyond a bound has the standard error sqrt(p (1 - p) / n) if
    n resamples were drawn. `shift` moves both bounds outwards (inwards if negative) by
    so many of these standard errors, which is how far other seeds may move them.
    """
    error = math.sqrt(tail * (1 - tail) / len(values))
    share = 100 * min(max(tail - shift * error, 0.0), 0.5)
    low, high = np.percentile(values, [share, 100 - share])
    return float(low), float(high)


def half_width(number: int, confidence: float = CONFIDENCE) -> float:
    """Half the width of the interval, in standard deviations of resamples of `number`
    groups."""
    from scipy.special import stdtrit  # pylint: disable=no-name-in-module

    if number == 1:
        return 0.0
    factor = math.sqrt(number / (number - 1))
    return float(stdtrit(number - 1, 0.5 + confidence / 2) * factor)


def resample(
    num_segments: int,
    num_resamples: int,
    seed: int | Sequence[int],
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
