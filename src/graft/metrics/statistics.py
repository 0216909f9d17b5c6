"""What a metric is: statistics that add up over segments, and a value of their sum.

A corpus score is a function of sums over segments. A bootstrap resample is then a
weighted sum, so a thousand resamples of all metrics are a few matrix products.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from graft.metrics.bootstrap import Array, Resamples, interval
from graft.records import Score

__all__ = [
    "Array",
    "Metric",
    "Segments",
    "Statistics",
    "averaged",
    "computable",
    "fits",
    "mean",
    "percent",
]


@dataclass(frozen=True)
class Segments:
    """Test examples, and what one system makes of them.

    Args:
        completions: what the system says. Length [segments].
        references: the gold answers of each, at least one. Length [segments].
        strata: language or domain of each. Length [segments].
        likelihoods: of the first reference, by the system: negative log-likelihood in
            nats, tokens, UTF-8 bytes. Shape [segments, 3]; None if it was not asked.
        groups: what belongs together, such as chunks of one text. Length [segments];
            None if each stands alone.
    Raises: ValueError if there is no segment, one without a reference, or the lengths
        differ.
    """

    completions: Sequence[str]
    references: Sequence[Sequence[str]]
    strata: Sequence[str]
    likelihoods: Array | None = None
    groups: Sequence[str] | None = None

    def __post_init__(self) -> None:
        lengths = {len(self.completions), len(self.references), len(self.strata)}
        if self.likelihoods is not None:
            lengths.add(len(self.likelihoods))
        if self.groups is not None:
            lengths.add(len(self.groups))
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
        scale: of an axis; `log` if two values differ by a factor, not by an amount.
    """

    name: str
    title: str
    statistics: Statistics
    value: Callable[[Array], Array]
    better: Literal["higher", "lower", "neither"] = "higher"
    of: Literal["answer", "text", "likelihood"] = "answer"
    lacks: Callable[[], str] = computable
    unfit: Callable[[Sequence[Sequence[str]]], str] = fits
    scale: Literal["linear", "log"] = "linear"

    def score(self, segments: Segments, draws: Resamples) -> Score:
        """Score a corpus, with the interval of the draws of `resample`."""
        terms, signature = self.statistics(segments)
        return interval(self.value, terms, draws, signature)
