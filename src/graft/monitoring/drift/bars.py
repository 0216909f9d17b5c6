"""Bins of a feature as bars that a reader can compare."""

import numpy as np

from graft.monitoring.drift.counting import Bins, Floats
from graft.monitoring.drift.report import Bar
from graft.pages.axis import Axis

NUM_BARS = 12
ROUND_PARTS = (10, 5, 4, 2, 1)
"""Into which the step of an axis is divided."""
NUM_SHOWN = 8
"""Categories; the others are one bar."""


def to_bars(
    bins: Bins, window: Floats, reference: Floats, values: Floats | None, size: int
) -> tuple[Bar, ...]:
    """Bars with the shares of both sides; none for hashes.

    Args:
        window, reference: counts. Shapes [bins].
        values: of a number, those of the window first; None of others.
        size: number of values of the window.
    """
    if values is not None:
        return _of_numbers(values[:size], values[size:])
    totals = window.sum(), reference.sum()
    if not bins.labels or not all(totals):
        return ()
    shares = reference / totals[1], window / totals[0]
    order = np.argsort(-np.maximum(*shares), kind="stable")
    bars = [
        Bar(str(bins.labels[i]), float(shares[0][i]), float(shares[1][i]))
        for i in order[:NUM_SHOWN]
    ]
    if rest := order[NUM_SHOWN:].tolist():
        sums = (float(side[rest].sum()) for side in shares)
        bars.append(Bar(f"{len(rest)} others", *sums))
    return tuple(bars)


def _of_numbers(window: Floats, reference: Floats) -> tuple[Bar, ...]:
    """Bins of one width up to the 99 % quantile of both sides; the last holds all that
    is above it."""
    both = np.concatenate([window, reference])
    axis = Axis.over([float(np.quantile(both, 0.99)) or float(both.max())])
    steps = len(axis.ticks) - 1
    parts = next(n for n in ROUND_PARTS if n * steps <= NUM_BARS)
    edges = np.linspace(0, axis.high, parts * steps + 1)
    if float(both.max()).is_integer() and np.all(both == np.round(both)):
        edges = np.unique(np.round(edges))  # counts: no bin without a whole number
    shares = [
        np.histogram(np.minimum(side, edges[-1]), edges)[0] / len(side)
        for side in (reference, window)
    ]
    labels = [f"{low:.3g}" for low in edges[:-1]]
    return tuple(map(Bar, labels, shares[0].tolist(), shares[1].tolist()))
