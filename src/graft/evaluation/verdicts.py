"""Verdicts on paired differences, readable without colour, and their numbers as
text."""

from dataclasses import dataclass
from typing import Literal

from graft.metrics import Comparison, Metric
from graft.pages.numbers import digits_of, interval, number
from graft.records import Score

FEWEST = 10
"""With fewer examples in a stratum, there is no verdict."""
MOST_DIGITS = 4


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


def comparison_digits(found: Comparison) -> int:
    """Decimal digits for all numbers of a comparison.

    More than usual if the interval of a significant difference would otherwise be
    rounded to zero.
    """
    digits = digits_of([found.base.value, found.tuned.value])
    nearest = min(abs(found.difference.low), abs(found.difference.high))
    while found.is_significant and digits < MOST_DIGITS and round(nearest, digits) == 0:
        digits += 1
    return digits


def with_interval(score: Score, digits: int = 1, sign: str = "") -> str:
    """`61.2 [60.1, 62.4]`."""
    low, high = (number(bound, digits, sign) for bound in (score.low, score.high))
    return f"{number(score.value, digits, sign)} [{low}, {high}]"
