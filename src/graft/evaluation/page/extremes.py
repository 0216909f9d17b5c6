"""Scores of single examples, and the choice of those that are shown."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from graft.evaluation.scoring import to_segments
from graft.metrics import Metric
from graft.records import Prediction

NUM_SHOWN = 5
SAME = 1e-9
"""Largest difference of two scores that count as equal."""


@dataclass(frozen=True)
class Scored:
    """An example with its own scores of both systems; may be infinite or NaN."""

    row: Prediction
    base: float
    tuned: float

    @property
    def difference(self) -> float:
        """Tuned − base."""
        return self.tuned - self.base


@dataclass(frozen=True)
class Group:
    """Examples with a common property, the most extreme first."""

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
    """Score every example as a test set of its own."""
    columns = []
    with np.errstate(all="ignore"):  # undefined values become NaN and are not drawn
        for segments in (
            to_segments(predictions, "base"),
            to_segments(predictions, "tuned"),
        ):
            terms, _ = metric.statistics(segments)  # [examples, terms]
            columns.append(metric.value(terms).tolist())  # [examples]
    return [Scored(*each) for each in zip(predictions, *columns, strict=True)]


def weigh(metric: Metric, scored: Sequence[Scored]) -> Balance:
    """Count gains and losses; for a descriptive metric, rises and falls."""
    sign = -1 if metric.better == "lower" else 1
    gains = [sign * each.difference for each in scored]
    better = sum(gain > SAME for gain in gains)
    worse = sum(gain < -SAME for gain in gains)
    return Balance(better, len(scored) - better - worse, worse)


def choose_extremes(metric: Metric, scored: Sequence[Scored]) -> list[Group]:
    """The largest gains and losses, then the tuned model's worst and best examples.

    No example is in two groups. Ties are ordered by id, so the choice is
    deterministic.
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
    own = f"By the {metric.title} of tuned, without those above; ties by"
    return [
        Group(f"Most changed: largest {gains}", changed, gained),
        Group(f"Most changed: largest {losses}", changed, lost),
        Group(f"{worst} answers of the tuned model", f"{own} smallest gain.", lowest),
        Group(f"{best} answers of the tuned model", f"{own} largest gain.", highest),
    ]
