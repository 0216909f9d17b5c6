"""Verdicts on paired differences, readable without colour."""

from dataclasses import dataclass
from typing import Literal

from graft.evaluation.numbers import comparison_digits
from graft.metrics import Comparison, Metric
from graft.pages.numbers import interval, number

FEWEST = 10
"""With fewer examples in a stratum, there is no verdict."""


@dataclass(frozen=True)
class Verdict:
    """`kind` determines the colour; `mark` and `text` mean the same without it."""

    kind: Literal["better", "worse", "changed", "negligible", "insignificant"]
    mark: str
    text: str


INSIGNIFICANT = Verdict("insignificant", "≈", "not significant")
TOO_FEW = Verdict("insignificant", "–", f"under {FEWEST} examples")
NEGLIGIBLE = Verdict("negligible", "~", "significant, negligible")
CHANGED = Verdict("changed", "◆", "significantly different (95 % CI)")
BETTER = Verdict("better", "✓", "significantly better (95 % CI)")
WORSE = Verdict("worse", "✗", "significantly worse (95 % CI)")

CONCLUSIONS = {
    "better": "is a significant improvement",
    "worse": "is a significant loss",
    "changed": "is significant",
    "negligible": "is significant, but negligible",
    "insignificant": "is not significant",
}


def judge(metric: Metric, found: Comparison) -> Verdict:
    """Whether a difference is significant, relevant, and an improvement.

    Significant: its 95 % interval excludes zero. Negligible: it is smaller than the
    smallest relevant difference, `evaluate.requirements.metrics.….min_difference`.
    """
    if not found.is_significant:
        return INSIGNIFICANT
    if found.is_negligible:
        return NEGLIGIBLE
    if metric.better == "neither":
        return CHANGED
    rose = found.difference.value > 0
    return BETTER if rose == (metric.better == "higher") else WORSE


def headline(metric: Metric, found: Comparison, num_examples: int) -> str:
    """The result of one metric as a sentence."""
    digits = comparison_digits(found)
    base, tuned = (number(score.value, digits) for score in (found.base, found.tuned))
    difference = number(found.difference.value, digits, "+")
    if base == tuned:
        moved = f"left {metric.title} at {base}"
    else:
        verb = "raised" if found.difference.value > 0 else "lowered"
        moved = f"{verb} {metric.title} from {base} to {tuned}"
    noun = "example" if num_examples == 1 else "examples"
    return (
        f"Tuning {moved} on {num_examples:,} test {noun}: the paired difference, "
        f"{difference} (95 % interval {interval(found.difference, digits, '+')}), "
        f"{CONCLUSIONS[judge(metric, found).kind]}."
    )
