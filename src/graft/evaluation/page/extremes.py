"""Single examples: their scores, and the few that a reader should see."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from graft.evaluation.scoring import Prediction, to_segments
from graft.metrics import Metric

NUM_SHOWN = 5
SAME = 1e-9
"""Difference up to which two scores are equal."""


@dataclass(frozen=True)
class Scored:
    """An example with its own score by both systems; may be infinite or undefined."""

    row: Prediction
    base: float
    tuned: float

    @property
    def difference(self) -> float:
        """Tuned − base."""
        return self.tuned - self.base


@dataclass(frozen=True)
class Group:
    """Examples that stand for something, the strongest first."""

    title: str
    note: str
    examples: Sequence[Scored]


@dataclass(frozen=True)
class Balance:
    """How many examples the tuned model answers better, equally and worse."""

    better: int
    equal: int
    worse: int


def score_each(metric: Metric, predictions: Sequence[Prediction]) -> list[Scored]:
    """Score every example as if it were the whole test set."""
    columns = []
    with np.errstate(all="ignore"):  # what has no value becomes nan, and is not drawn
        for segments in (
            to_segments(predictions, "base"),
            to_segments(predictions, "tuned"),
        ):
            terms, _ = metric.statistics(segments)  # [examples, terms]
            columns.append(metric.value(terms).tolist())  # [examples]
    return [Scored(*each) for each in zip(predictions, *columns, strict=True)]


def weigh(metric: Metric, scored: Sequence[Scored]) -> Balance:
    """Count gains and losses; for a mere description, rises and falls."""
    sign = -1 if metric.better == "lower" else 1
    gains = [sign * each.difference for each in scored]
    better = sum(gain > SAME for gain in gains)
    worse = sum(gain < -SAME for gain in gains)
    return Balance(better, len(scored) - better - worse, worse)


def choose_extremes(metric: Metric, scored: Sequence[Scored]) -> list[Group]:
    """The most changed for better and worse, then the tuned model's worst and best.

    No example is in two groups. Those of equal rank are ordered by their id, so the
    choice is always the same.
    """
    sign = -1 if metric.better == "lower" else 1
    left = [each for each in scored if math.isfinite(each.difference)]
    left.sort(key=lambda each: each.row.id)
    best, worst, gains, losses = ("Best", "Worst", "gains", "losses")
    if metric.better == "neither":
        best, worst, gains, losses = ("Highest", "Lowest", "rises", "falls")

    def gain(each: Scored) -> float:
        return sign * each.difference

    def level(each: Scored) -> float:
        return sign * each.tuned

    def take(pool: Sequence[Scored], rank: Callable[[Scored], Any]) -> list[Scored]:
        chosen = sorted(pool, key=rank)[:NUM_SHOWN]
        for each in chosen:
            left.remove(each)
        return chosen

    changed = f"By the {metric.title} of tuned minus that of base."
    gained = take(
        [each for each in left if gain(each) > SAME], lambda each: -gain(each)
    )
    lost = take([each for each in left if gain(each) < -SAME], gain)
    lowest = take(left, lambda each: (level(each), gain(each)))
    highest = take(left, lambda each: (-level(each), -gain(each)))
    own = f"By the {metric.title} of tuned, besides those above; of equal ones"
    return [
        Group(f"Most changed: largest {gains}", changed, gained),
        Group(f"Most changed: largest {losses}", changed, lost),
        Group(f"{worst} answers of the tuned model", f"{own} the least gain.", lowest),
        Group(
            f"{best} answers of the tuned model", f"{own} the largest gain.", highest
        ),
    ]
