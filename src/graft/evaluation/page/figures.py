"""The figures of the page, with their descriptions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from markupsafe import Markup

from graft.evaluation.page.extremes import Scored
from graft.evaluation.page.histograms import Sample, histogram
from graft.evaluation.page.plots import Dot, Line, axis_of, dot_plot
from graft.evaluation.verdicts import comparison_digits
from graft.metrics import METRICS, Comparison, Metric
from graft.pages.axis import Axis
from graft.pages.numbers import interval, number
from graft.records import Prediction


@dataclass(frozen=True)
class MetricFigure:
    """Metrics that share an axis: their values, and their paired differences."""

    values: Markup
    differences: Markup


def compare_metrics(overall: Mapping[str, Comparison]) -> list[MetricFigure]:
    """Neighbouring metrics of one range share a figure."""

    def axis(item: tuple[str, Comparison]) -> Axis:
        return axis_of([_values(*item)], METRICS[item[0]].scale)

    groups = [list(group) for _, group in groupby(overall.items(), key=axis)]
    depth = 3 if any(found.gold for found in overall.values()) else 2
    return [
        MetricFigure(
            dot_plot(
                f"values-{index}",
                "Values of base and tuned model with 95 % intervals",
                _describe(group, ("base", "tuned")),
                [_values(*item) for item in group],
                depth,
                METRICS[group[0][0]].scale,
            ),
            dot_plot(
                f"differences-{index}",
                "Paired differences, tuned minus base, with 95 % intervals",
                _describe(group, ("difference",)),
                [
                    Line(METRICS[name].title, [Dot("difference", found.difference)])
                    for name, found in group
                ],
                depth,
            ),
        )
        for index, group in enumerate(groups)
    ]


def _values(name: str, found: Comparison) -> Line:
    dots = [Dot("base", found.base), Dot("tuned", found.tuned)]
    if found.gold is not None:
        dots.append(Dot("gold", found.gold))
    return Line(METRICS[name].title, dots)


def _describe(group: Sequence[tuple[str, Comparison]], systems: Sequence[str]) -> str:
    """The numbers of a figure as text."""
    values = []
    for name, found in group:
        digits = comparison_digits(found)
        for system in systems:
            score = getattr(found, system)
            values.append(
                f"{METRICS[name].title} {system} {number(score.value, digits)}, "
                f"interval {interval(score, digits)}"
            )
    return "; ".join(values) + "."


def compare_scores(metric: Metric, scored: Sequence[Scored], digits: int) -> Markup:
    """Distribution of a metric over single examples."""
    columns = {
        system: np.array([getattr(each, system) for each in scored])
        for system in ("base", "tuned")
    }
    samples = [
        Sample(system, system, values[np.isfinite(values)])
        for system, values in columns.items()
    ]
    title = f"Number of examples by their own {metric.title}"
    return histogram("scores", title, samples, digits=digits, scale=metric.scale)


def compare_lengths(predictions: Sequence[Prediction]) -> Markup:
    """Distribution of lengths in words, separated by white space."""
    columns = {
        "base": [row.base for row in predictions],
        "tuned": [row.tuned for row in predictions],
        "reference": [row.references[0] for row in predictions],
    }
    samples = []
    for name, column in columns.items():
        lengths = np.array([float(len(text.split())) for text in column])
        empty = int((lengths == 0).sum())
        label = f"{name} ({empty:,} empty)" if empty else name
        samples.append(Sample("gold" if name == "reference" else name, label, lengths))
    title = "Number of examples by the length of the answer in words"
    return histogram("lengths", title, samples, digits=1, whole=True)
