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

    def values(self, value: Callable[[Array], Array], terms: Array) -> Array:
        """A metric on each resample: terms, shape [segments, terms] → [resamples]."""
        grouped = np.zeros((self.weights.shape[1], terms.shape[1]))
        np.add.at(grouped, self.codes, terms)
        return value(self.weights @ grouped)

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

    def difference_bounds(self, estimate: float, values: Array) -> tuple[float, float]:
        """The 95 % interval of a difference, which may have either sign.

        Of few groups it is Student's t, with the resamples' standard error (section 5.2
        there); of one group nothing is known.
        """
        number = self.weights.shape[1]
        if number >= FEW_GROUPS:
            return self.bounds(values)
        if number == 1:
            return -np.inf, np.inf
        margin = self._width() * float(np.std(values))
        return estimate - margin, estimate + margin

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
    """A score, and its value on each resample, shape [resamples]."""

    score: Score
    values: Array


def measure(
    value: Callable[[Array], Array], terms: Array, draws: Resamples, signature: str = ""
) -> Measured:
    """A metric of all segments and of each resample.

    Args:
        value: sums, shape [..., terms] → scores, shape [...].
        terms: of the segments, shape [segments, terms].
    """
    values = draws.values(value, terms)
    estimate = float(value(terms.sum(axis=0)))
    return Measured(Score(estimate, *draws.bounds(values), signature), values)


def interval(
    value: Callable[[Array], Array], terms: Array, draws: Resamples, signature: str = ""
) -> Score:
    """Score of all segments, with the interval of its resamples."""
    return measure(value, terms, draws, signature).score
