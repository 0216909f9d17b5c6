"""What a metric is: statistics that add up over segments, and a value of their sum.

A corpus score is a function of sums over segments. A bootstrap resample is then a
weighted sum, so a thousand resamples of all metrics are a few matrix products.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graft.records import Score

Array = NDArray[np.float64]
Statistics = Callable[[Sequence[str], Sequence[Sequence[str]]], tuple[Array, str]]

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Metric:
    """A corpus metric, higher is better.

    Args:
        name: its key in params.yaml and in reports.
        title: its name for readers.
        statistics: completions and their references → sums' terms, shape
            [segments, terms], and the signature that says how they were counted.
            Metrics that share this function share the count.
        value: sums, shape [..., terms] → scores, shape [...].
    """

    name: str
    title: str
    statistics: Statistics
    value: Callable[[Array], Array]

    def score(
        self,
        completions: Sequence[str],
        references: Sequence[Sequence[str]],
        weights: Array,
    ) -> Score:
        """Score a corpus. `weights` are the bootstrap draws of `resample`.

        Raises: ValueError if there is no segment, or not one list of references each.
        """
        terms, signature = self.statistics(completions, references)
        return interval(self.value, terms, weights, signature)


@dataclass(frozen=True)
class Comparison:
    """One metric of two systems on the same segments; `difference` is tuned − base."""

    base: Score
    tuned: Score
    difference: Score

    @property
    def is_real(self) -> bool:
        """The difference's 95 % interval leaves out zero."""
        return self.difference.low > 0 or self.difference.high < 0


def resample(num_segments: int, num_resamples: int, seed: int) -> Array:
    """How often each resample drew each segment, shape [resamples, segments].

    Drawing with replacement, as many as there are; every row sums to `num_segments`.
    Source: Koehn 2004, "Statistical significance tests for machine translation
    evaluation" (W04-3250).
    Raises: ValueError if there is no segment.
    """
    if num_segments < 1:
        raise ValueError("no segment to resample")
    generator = np.random.default_rng(seed)
    draws = generator.integers(num_segments, size=(num_resamples, num_segments))
    draws += np.arange(num_resamples)[:, None] * num_segments
    counts = np.bincount(draws.ravel(), minlength=num_resamples * num_segments)
    return counts.reshape(num_resamples, num_segments).astype(np.float64)


def interval(
    value: Callable[[Array], Array], terms: Array, weights: Array, signature: str = ""
) -> Score:
    """Score of all segments, with the percentile interval of its resamples."""
    low, high = percentiles(value(weights @ terms))
    return Score(float(value(terms.sum(axis=0))), low, high, signature)


def percentiles(values: Array) -> tuple[float, float]:
    """Bounds that leave out the same share of `values` on both sides."""
    tail = 50 * (1 - CONFIDENCE)
    low, high = np.percentile(values, [tail, 100 - tail])
    return float(low), float(high)


def compare(
    metrics: Sequence[Metric],
    base: Sequence[str],
    tuned: Sequence[str],
    references: Sequence[Sequence[str]],
    *,
    num_resamples: int,
    seed: int,
) -> dict[str, Comparison]:
    """Score two systems on the same segments, by the same bootstrap draws.

    The difference is paired: both systems are scored on each resample, so what makes
    a segment hard for both does not widen its interval.
    Raises: ValueError if there is no segment, or the lengths differ.
    """
    weights = resample(len(references), num_resamples, seed)
    counted: dict[Statistics, Any] = {}
    compared = {}
    for metric in metrics:
        if metric.statistics not in counted:
            counted[metric.statistics] = [
                metric.statistics(system, references) for system in (base, tuned)
            ]
        scores, resamples = [], []
        for terms, signature in counted[metric.statistics]:
            scores.append(interval(metric.value, terms, weights, signature))
            resamples.append(metric.value(weights @ terms))
        low, high = percentiles(resamples[1] - resamples[0])
        difference = Score(scores[1].value - scores[0].value, low, high)
        compared[metric.name] = Comparison(scores[0], scores[1], difference)
    return compared


def check_segments(
    completions: Sequence[str], references: Sequence[Sequence[str]]
) -> None:
    """Raises: ValueError if there is no segment, or one without its references."""
    if not completions or len(completions) != len(references):
        raise ValueError(
            f"{len(completions)} completions and {len(references)} lists of references"
        )
    if not all(references):
        raise ValueError("a segment has no reference")
