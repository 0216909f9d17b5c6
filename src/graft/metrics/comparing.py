"""Two systems on the same segments: paired differences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from graft.metrics.bootstrap import Measured, Resamples, measure, resample
from graft.metrics.paired import differences
from graft.metrics.statistics import Metric, Segments, Statistics
from graft.records import Score


@dataclass(frozen=True)
class Comparison:
    """One metric of two systems on the same segments; `difference` is tuned − base.

    `gold` is the value of the references themselves, for metrics without reference.
    `min_difference` is the smallest relevant difference.
    """

    base: Score
    tuned: Score
    difference: Score
    gold: Score | None = None
    min_difference: float = 0.0

    @property
    def is_significant(self) -> bool:
        """Whether the 95 % interval of the difference excludes zero."""
        return self.difference.low > 0 or self.difference.high < 0

    @property
    def is_negligible(self) -> bool:
        """Whether the difference is significant, but too small to be relevant."""
        return self.is_significant and abs(self.difference.value) < self.min_difference

    @property
    def relative_change(self) -> float | None:
        """(tuned − base) / base, in percent; None if the base value is 0."""
        base = self.base.value
        return 100 * self.difference.value / base if base else None


def difference(
    base: Measured, tuned: Measured, draws: Resamples, min_difference: float = 0.0
) -> Comparison:
    """Paired difference of two systems that were measured on the same resamples."""
    found = differences(base, tuned, draws)
    change = Score(found.estimate, *found.bounds())
    return Comparison(base.score, tuned.score, change, min_difference=min_difference)


def compare(
    metrics: Sequence[Metric],
    base: Segments,
    tuned: Segments,
    *,
    num_resamples: int,
    seed: int,
    min_differences: Mapping[str, float] | None = None,
) -> dict[str, Comparison]:
    """Score two systems on the same segments with the same bootstrap resamples, so
    segments that are hard for both do not widen the interval of their difference.

    `min_differences`: smallest relevant difference, by metric.
    Raises: ValueError if the numbers of segments differ.
    """
    if len(base.completions) != len(tuned.completions):
        raise ValueError("base and tuned have different numbers of segments")
    draws = resample(len(base.completions), num_resamples, seed, base.groups)
    gold = replace(base, completions=[texts[0] for texts in base.references])
    counted: dict[Statistics, Any] = {}
    compared = {}
    for metric in metrics:
        if metric.statistics not in counted:
            counted[metric.statistics] = [
                metric.statistics(system) for system in (base, tuned)
            ]
        before, after = (
            measure(metric.value, terms, draws, signature)
            for terms, signature in counted[metric.statistics]
        )
        least = (min_differences or {}).get(metric.name, 0.0)
        compared[metric.name] = replace(
            difference(before, after, draws, least),
            gold=metric.score(gold, draws) if metric.of == "text" else None,
        )
    return compared
