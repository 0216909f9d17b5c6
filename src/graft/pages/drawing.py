"""Components of plots, as SVG that fits any width.

Horizontal positions are in per cent and vertical positions in pixels, so that a plot
becomes narrower on a phone without smaller text.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise

from markupsafe import Markup

from graft.pages.axis import Axis
from graft.pages.numbers import digits_of, number, share, tick

RULER = 22
"""Height of the numbers at an axis, in pixels (as all lengths below)."""
HEIGHT = 64
"""Height of the tallest bar."""
CHAR = 8
"""Maximum width of a digit in the numbers; a comma or a point has half of it."""
SPACE = 6
"""Minimum distance between two numbers."""
NARROWEST = 280
"""Width of a plot on a small phone."""


def svg(slug: str, title: str, desc: str, height: float, body: Markup) -> Markup:
    """A plot with a title and a description for screen readers.

    `slug` must be unique on a page.
    """
    return Markup(
        '<svg role="img" aria-labelledby="{slug}-title {slug}-desc" width="100%" '
        'height="{height:.0f}"><title id="{slug}-title">{title}</title>'
        '<desc id="{slug}-desc">{desc}</desc>{body}</svg>'
    ).format(slug=slug, title=title, desc=desc, height=height, body=body)


def grid(axis: Axis, top: float, bottom: float) -> Markup:
    """A thin line at each tick, and a stronger line at zero."""
    line = Markup('<line class="{}" x1="{x:.2f}%" x2="{x:.2f}%" y1="{}" y2="{}"/>')
    return Markup().join(
        line.format("grid" if value else "zero", top, bottom, x=axis.at(value))
        for value in axis.ticks
    )


def ruler(
    axis: Axis, top: float, *, more: bool = False, width: float = NARROWEST
) -> Markup:
    """The numbers at the ticks; those at the ends do not extend beyond the axis.

    Args:
        axis: axis whose ticks get numbers.
        top: vertical position.
        more: whether the last number also stands for larger values.
        width: width of the plot in pixels; numbers that would overlap are omitted.
    """
    labels = [axis.label(value) for value in axis.ticks]
    labels[-1] += "+" if more else ""
    text = Markup('<text class="tick" x="{:.2f}%" y="{}" text-anchor="{}">{}</text>')
    return Markup().join(
        text.format(axis.at(axis.ticks[i]), top + 16, _anchor(axis, i), labels[i])
        for i in _shown(axis, labels, width)
    )


def _anchor(axis: Axis, index: int) -> str:
    return {0: "start", len(axis.ticks) - 1: "end"}.get(index, "middle")


def _shown(axis: Axis, labels: list[str], width: float) -> list[int]:
    """Indices of ticks whose labels do not overlap.

    On a linear axis: zero, ticks at equal distances from it, and the ends. On a
    logarithmic axis: powers of ten, the ends, and further ticks where there is space.
    An end that overlaps zero or the first power of ten is omitted.
    """
    size = len(labels)
    powers = [i for i, text in enumerate(labels) if text.strip("0.,+") in ("", "1")]
    origin = powers[0] if powers else 0

    def extent(index: int) -> tuple[float, float]:
        marks = sum(char in ",." for char in labels[index])
        length = CHAR * (len(labels[index]) - marks / 2) + SPACE
        shift = {"start": 0.0, "middle": 0.5, "end": 1.0}[_anchor(axis, index)]
        left = width * axis.at(axis.ticks[index]) / 100 - shift * length
        return left, left + length

    def overlap(first: int, second: int) -> bool:
        (left, right), (start, end) = extent(first), extent(second)
        return left < end and start < right

    shown = [origin]

    def add(indices: Iterable[int]) -> None:
        for index in indices:
            if not any(overlap(index, other) for other in shown):
                shown.append(index)

    add((size - 1, 0))
    if axis.scale == "log":
        add([*powers, *range(size)])
        return sorted(shown)
    for stride in (1, 2, 5):
        indices = sorted({*shown, *range(origin % stride, size, stride)})
        if not any(overlap(first, second) for first, second in pairwise(indices)):
            return indices
    return sorted(shown)


def bars(
    axis: Axis,
    edges: Sequence[float],
    counts: Sequence[int],
    kind: str,
    bottom: float,
    more: bool,
) -> Markup:
    """A bar for each bin that is not empty, with its range and count as a tooltip.

    Args:
        axis: horizontal axis.
        edges: edges of the bins, one more than `counts`.
        counts: number of values in each bin.
        kind: CSS class of the bars.
        bottom: vertical position of the axis.
        more: whether the last bin also counts larger values.
    """
    shape = Markup(
        '<rect class="bar" x="{:.2f}%" width="{:.2f}%" y="{:.1f}" height="{:.1f}">'
        "<title>{}: {:,} ({})</title></rect>"
    )
    total, most = sum(counts), max(counts, default=0)
    drawn = Markup()
    for index, (low, high) in enumerate(pairwise(edges)):
        if not (count := counts[index]):
            continue
        if axis.scale == "log":
            lower, upper = (number(edge, digits_of([edge])) for edge in (low, high))
        else:
            lower, upper = (tick(edge, high - low) for edge in (low, high))
        left, right = axis.at(low), axis.at(high)
        height = max(HEIGHT * count / most, 1.0)
        drawn += shape.format(
            left + 0.15,
            right - left - 0.3,
            bottom - height,
            height,
            f"{lower} {'and more' if more and high == edges[-1] else f'to {upper}'}",
            count,
            share(count, total),
        )
    return Markup('<g class="{}">{}</g>').format(kind, drawn)
