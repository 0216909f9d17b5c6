"""What a paired difference means, in words that need no colour."""

from dataclasses import dataclass
from typing import Literal

from graft.evaluation.page.numbers import comparison_digits, interval, number
from graft.metrics import Comparison, Metric

FEWEST = 10
"""Examples below which the bootstrap of a stratum says too little to judge by."""


@dataclass(frozen=True)
class Verdict:
    """`kind` names the colour; `mark` and `text` say the same without one."""

    kind: Literal["better", "worse", "changed", "chance"]
    mark: str
    text: str


CHANCE = Verdict("chance", "≈", "may be chance")
TOO_FEW = Verdict("chance", "–", f"under {FEWEST} examples")
CHANGED = Verdict("changed", "◆", "real change")
BETTER = Verdict("better", "✓", "real, better")
WORSE = Verdict("worse", "✗", "real, worse")

CONCLUSIONS = {
    "better": "is a real improvement",
    "worse": "is a real loss",
    "changed": "is real",
    "chance": "may be chance, since its interval includes zero",
}


def judge(metric: Metric, found: Comparison) -> Verdict:
    """Whether a difference is real, and for the better."""
    if not found.is_real:
        return CHANCE
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
