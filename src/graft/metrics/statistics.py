"""What a metric is: statistics that add up over segments, and a value of their sum.

A corpus score is a function of sums over segments. A bootstrap resample is then a
weighted sum, so a thousand resamples of all metrics are a few matrix products.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from graft.records import Score

Array = NDArray[np.float64]

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Segments:
    """Test examples, and what one system makes of them.

    Args:
        completions: what the system says. Length [segments].
        references: the gold answers of each, at least one. Length [segments].
        strata: language or domain of each. Length [segments].
        likelihoods: of the first reference, by the system: negative log-likelihood in
            nats, tokens, UTF-8 bytes. Shape [segments, 3]; None if it was not asked.
    Raises: ValueError if there is no segment, one without a reference, or the lengths
        differ.
    """

    completions: Sequence[str]
    references: Sequence[Sequence[str]]
    strata: Sequence[str]
    likelihoods: Array | None = None

    def __post_init__(self) -> None:
        lengths = {len(self.completions), len(self.references), len(self.strata)}
        if self.likelihoods is not None:
            lengths.add(len(self.likelihoods))
        if len(lengths) > 1 or not self.completions:
            raise ValueError(f"columns of {sorted(lengths)} segments")
        if not all(self.references):
            raise ValueError("a segment has no reference")


Statistics = Callable[[Segments], tuple[Array, str]]


def averaged(values: Iterable[float | None]) -> Array:
    """Statistics of a mean over segments: [value, 1], or [0, 0] where there is none.

    Returns: shape [segments, 2].
    """
    terms = [(0.0, 0.0) if value is None else (value, 1.0) for value in values]
    return np.asarray(terms, dtype=np.float64)


def mean(sums: Array) -> Array:
    """Mean of `averaged` statistics, summed: [..., 2] → [...]; 0 if there is none."""
    return np.asarray(sums[..., 0] / np.maximum(sums[..., 1], 1))


def percent(sums: Array) -> Array:
    """`mean` of shares, as 0..100."""
    return 100 * mean(sums)


def computable() -> str:
    """Nothing is in the way of most metrics."""
    return ""


def fits(references: Sequence[Sequence[str]]) -> str:
    """Most metrics take any script."""
    del references
    return ""


@dataclass(frozen=True)
class Metric:
    """A corpus metric.

    Args:
        name: its key in params.yaml and in reports.
        title: its name for readers, with its unit.
        statistics: segments → sums' terms, shape [segments, terms], and the signature
            that says how they were counted. Metrics that share this function share
            the count.
        value: sums, shape [..., terms] → scores, shape [...].
        better: which value is better; `neither` for a mere description.
        of: what it looks at. `text` asks for no reference, so the gold answers have a
            value too; `likelihood` asks the model for the reference's probability.
        lacks: why it cannot be computed here, and how to change that; or nothing.
        unfit: why it says nothing about texts like these references; or nothing.
    """

    name: str
    title: str
    statistics: Statistics
    value: Callable[[Array], Array]
    better: Literal["higher", "lower", "neither"] = "higher"
    of: Literal["answer", "text", "likelihood"] = "answer"
    lacks: Callable[[], str] = computable
    unfit: Callable[[Sequence[Sequence[str]]], str] = fits

    def score(self, segments: Segments, weights: Array) -> Score:
        """Score a corpus. `weights` are the bootstrap draws of `resample`."""
        terms, signature = self.statistics(segments)
        return interval(self.value, terms, weights, signature)


@dataclass(frozen=True)
class Comparison:
    """One metric of two systems on the same segments; `difference` is tuned − base.

    `gold` is the value of the references themselves, for metrics of a text alone.
    """

    base: Score
    tuned: Score
    difference: Score
    gold: Score | None = None

    @property
    def is_real(self) -> bool:
        """The difference's 95 % interval leaves out zero."""
        return self.difference.low > 0 or self.difference.high < 0

    @property
    def relative_change(self) -> float | None:
        """(tuned − base) / base, in percent; None if the base has 0."""
        base = self.base.value
        return 100 * self.difference.value / base if base else None


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
    base: Segments,
    tuned: Segments,
    *,
    num_resamples: int,
    seed: int,
) -> dict[str, Comparison]:
    """Score two systems on the same segments, by the same bootstrap draws.

    The difference is paired: both systems are scored on each resample, so what makes
    a segment hard for both does not widen its interval.
    Raises: ValueError if the systems saw different segments.
    """
    if len(base.completions) != len(tuned.completions):
        raise ValueError("base and tuned saw different segments")
    weights = resample(len(base.completions), num_resamples, seed)
    gold = replace(base, completions=[texts[0] for texts in base.references])
    counted: dict[Statistics, Any] = {}
    compared = {}
    for metric in metrics:
        if metric.statistics not in counted:
            counted[metric.statistics] = [
                metric.statistics(system) for system in (base, tuned)
            ]
        scores, resamples = [], []
        for terms, signature in counted[metric.statistics]:
            scores.append(interval(metric.value, terms, weights, signature))
            resamples.append(metric.value(weights @ terms))
        low, high = percentiles(resamples[1] - resamples[0])
        compared[metric.name] = Comparison(
            scores[0],
            scores[1],
            Score(scores[1].value - scores[0].value, low, high),
            metric.score(gold, weights) if metric.of == "text" else None,
        )
    return compared
