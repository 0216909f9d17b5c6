"""What a metric is: statistics that add up over segments, and a value of their sum.

A corpus score is a function of sums over segments. A bootstrap resample is then a
weighted sum, so a thousand resamples of all metrics are a few matrix products.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from graft.metrics.bootstrap import Array, Resamples, interval
from graft.records import Score

__all__ = ["Array", "Metric", "Segments", "Statistics", "averaged", "mean", "percent"]


@dataclass(frozen=True)
class Segments:
    """Test examples with the completions of one system.

    Args:
        completions: output of the system. Length [segments].
        references: correct answers of each, at least one. Length [segments].
        strata: language or domain of each. Length [segments].
        likelihoods: of the first reference under the system: negative log-likelihood
            in nats, tokens, UTF-8 bytes. Shape [segments, 3]; None if not measured.
        groups: group of each, such as the text that chunks come from. Length
            [segments]; None if there are no groups.
    Raises: ValueError if there are no segments, a segment has no reference, or the
        lengths differ.
    """

    completions: Sequence[str]
    references: Sequence[Sequence[str]]
    strata: Sequence[str]
    likelihoods: Array | None = None
    groups: Sequence[str] | None = None

    def __post_init__(self) -> None:
        columns = (self.completions, self.references, self.strata)
        measured = (self.likelihoods, self.groups)
        lengths = {len(c) for c in (*columns, *measured) if c is not None}
        if len(lengths) > 1 or not self.completions:
            raise ValueError(f"columns of {sorted(lengths)} segments")
        if not all(self.references):
            raise ValueError("a segment has no reference")

    def pairs(self) -> Iterator[tuple[str, Sequence[str]]]:
        """Each completion with its references."""
        return zip(self.completions, self.references, strict=True)


Statistics = Callable[[Segments], tuple[Array, str]]
"""Segments → terms to be summed, shape [segments, terms], and a signature that
describes how they were computed. Those of a mean have the shape [segments, 2]."""


def averaged(values: Iterable[float | None]) -> Array:
    """Statistics of a mean over segments: [value, 1], or [0, 0] for None.

    Returns: shape [segments, 2].
    """
    terms = [(0.0, 0.0) if value is None else (value, 1.0) for value in values]
    return np.asarray(terms, dtype=np.float64)


def mean(sums: Array) -> Array:
    """Mean from summed `averaged` statistics: [..., 2] → [...]; 0 if there are none."""
    return np.asarray(sums[..., 0] / np.maximum(sums[..., 1], 1))


def percent(sums: Array) -> Array:
    """`mean` of shares in 0..1, as percent."""
    return 100 * mean(sums)


@dataclass(frozen=True)
class Metric:
    """A corpus metric.

    Args:
        name: its key in params.yaml and in reports.
        title: its name for readers, with its unit.
        statistics: metrics that share this function share the computation.
        value: sums, shape [..., terms] → scores, shape [...].
        better: which values are better; `neither` for a descriptive metric.
        of: what it measures. `text` needs no reference, so the references have a value,
            too; `likelihood` needs the probability of the reference.
        missing: returns what must be installed first; empty if nothing.
        unsuitable: returns why it is meaningless for such references; empty if it is
            not.
        scale: of an axis; `log` if values differ by factors rather than amounts.
    """

    name: str
    title: str
    statistics: Statistics
    value: Callable[[Array], Array]
    better: Literal["higher", "lower", "neither"] = "higher"
    of: Literal["answer", "text", "likelihood"] = "answer"
    missing: Callable[[], str] = lambda: ""
    unsuitable: Callable[[Sequence[Sequence[str]]], str] = lambda references: ""
    scale: Literal["linear", "log"] = "linear"

    def score(self, segments: Segments, draws: Resamples) -> Score:
        """Score a corpus, with the bootstrap interval of `resample`."""
        terms, signature = self.statistics(segments)
        return interval(self.value, terms, draws, signature)
