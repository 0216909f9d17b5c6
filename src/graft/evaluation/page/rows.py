"""Comparisons as rows of the page's tables."""

from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup

from graft.evaluation.page.plots import Dot, Line, axis_of, strip, strip_ruler
from graft.evaluation.verdicts import FEWEST, TOO_FEW, Verdict, comparison_digits, judge
from graft.metrics import METRICS, Comparison, Metric

NUM_STRATA = 40
"""Most strata shown; those with the most examples are chosen."""


@dataclass(frozen=True)
class MetricRow:
    """One metric over all examples."""

    metric: Metric
    found: Comparison
    digits: int
    verdict: Verdict


@dataclass(frozen=True)
class StratumRow:
    """One metric in one stratum; `plot` shows base above tuned."""

    stratum: str
    num_examples: int
    found: Comparison
    verdict: Verdict
    plot: Markup


@dataclass(frozen=True)
class StrataTable:
    """Strata from the smallest gain to the largest; `num_hidden` have no row."""

    rows: list[StratumRow]
    num_hidden: int
    digits: int
    ruler: Markup


def metric_rows(overall: Mapping[str, Comparison]) -> list[MetricRow]:
    """One row per metric, in the order of the task's metrics."""
    return [
        MetricRow(
            METRICS[name], found, comparison_digits(found), judge(METRICS[name], found)
        )
        for name, found in overall.items()
    ]


def strata_table(
    metric: Metric, strata: Mapping[str, tuple[int, Mapping[str, Comparison]]]
) -> StrataTable:
    """The largest strata, ordered by the gain in one metric."""
    largest = sorted(strata, key=lambda name: (-strata[name][0], name))[:NUM_STRATA]
    picked = [(name, strata[name][0], strata[name][1][metric.name]) for name in largest]
    sign = -1 if metric.better == "lower" else 1
    picked.sort(key=lambda item: (sign * item[2].difference.value, item[0]))
    dots = {
        name: [Dot("base", found.base), Dot("tuned", found.tuned)]
        for name, _, found in picked
    }
    axis = axis_of([Line(name, pair) for name, pair in dots.items()], metric.scale)
    rows = [
        StratumRow(
            name,
            number,
            found,
            judge(metric, found) if number >= FEWEST else TOO_FEW,
            strip(axis, dots[name]),
        )
        for name, number, found in picked
    ]
    digits = max((comparison_digits(found) for _, _, found in picked), default=1)
    return StrataTable(rows, len(strata) - len(rows), digits, strip_ruler(axis))
