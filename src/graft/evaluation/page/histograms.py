"""Stacked histograms with a common axis, as SVG that fits any width."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from graft.evaluation.page.plots import GAP
from graft.metrics.statistics import Array
from graft.pages.axis import Axis, Scale
from graft.pages.drawing import HEIGHT, RULER, bars, grid, ruler, svg
from graft.pages.numbers import number, share

HEAD = 36
"""Height of the two lines of text above the bars, in pixels."""
TAIL = 0.5
"""Percentage of the largest values that may be beyond the axis."""
NUM_FACTORS = 24
"""Bins of a logarithmic axis."""


@dataclass(frozen=True)
class Sample:
    """Finite values of one system, one per example. `kind` determines the colour."""

    kind: str
    label: str
    values: Array


def histogram(
    slug: str,
    title: str,
    samples: Sequence[Sample],
    *,
    digits: int,
    whole: bool = False,
    scale: Scale = "linear",
) -> Markup:
    """One row of bars per sample; `whole` if all values are integers.

    Rows share the bins. The tallest bar of each has the full height, and its share is
    given as text. Values beyond the axis count in the last bin, which the axis marks.
    """
    values = np.concatenate([sample.values for sample in samples])
    values = values if values.size else np.zeros(1)
    # An integer is at the left edge of its bar, which needs space to its right.
    least, most = np.percentile(values, [0, 100 - TAIL], method="nearest")
    axis = Axis.over([least, most + int(whole)], scale)
    edges = _edges(axis, whole)
    more = bool(values.max() > axis.high)
    head = Markup('<text y="{}" class="label">{}</text><text y="{}">{}</text>')
    body, summaries = Markup(), []
    for index, sample in enumerate(samples):
        count, _ = np.histogram(np.minimum(sample.values, axis.high), edges)
        shares = count / max(len(sample.values), 1)
        top = index * (HEAD + HEIGHT + GAP)
        words = _words(sample, shares, digits)
        summaries.append(f"{sample.label}: {words}")
        body += head.format(top + 13, sample.label, top + 29, words)
        body += grid(axis, top + HEAD, top + HEAD + HEIGHT)
        foot = top + HEAD + HEIGHT
        body += bars(axis, edges.tolist(), count.tolist(), sample.kind, foot, more)
    bottom = len(samples) * (HEAD + HEIGHT + GAP) - GAP
    body += ruler(axis, bottom, more=more)
    return svg(slug, title, "; ".join(summaries) + ".", bottom + RULER, body)


def _edges(axis: Axis, whole: bool) -> Array:
    """Edges of 4 or 5 bins between two ticks, at least 1 wide for integers; of bins
    with a constant factor on a logarithmic axis."""
    if axis.scale == "log":
        return np.geomspace(axis.low, axis.high, NUM_FACTORS + 1)
    parts = 4 if f"{axis.step:e}".startswith("2") else 5
    width = max(axis.step / parts, 1.0 if whole else 0.0)
    number_of = round((axis.high - axis.low) / width)
    return np.linspace(axis.low, axis.high, max(number_of, 1) + 1)


def _words(sample: Sample, shares: Array, digits: int) -> str:
    if sample.values.size == 0:
        return "none"
    mean, median = sample.values.mean(), np.median(sample.values)
    return (
        f"median {number(float(median), digits)}, mean {number(float(mean), digits)}, "
        f"peak {share(shares.max(), 1)}"
    )
