"""Dots with whiskers, as SVG that fits any width."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from graft.pages.axis import Axis, Scale
from graft.pages.drawing import RULER, grid, ruler, svg
from graft.records import Score

TRACK = 12
"""Height of one dot with its whiskers, in pixels, as are those below."""
LABEL = 20
GAP = 10
STRIP = 128
"""Least width of a strip in a table."""
SHAPES = {
    "base": Markup('<circle r="4.5"/>'),
    "tuned": Markup('<circle r="4.5"/>'),
    "gold": Markup('<path d="M0-5.5 5.5 0 0 5.5-5.5 0z"/>'),
    "difference": Markup('<rect x="-4" y="-4" width="8" height="8"/>'),
    "train": Markup('<path class="curve" d="M-7 0H7"/>'),
    "validation": Markup('<path class="curve" d="M-7 0H7"/>'),
}
"""The marker of each kind of value in plots and legends; markers differ in shape as
well as in colour."""


@dataclass(frozen=True)
class Dot:
    """A score; `kind` is one of `SHAPES`."""

    kind: str
    score: Score


@dataclass(frozen=True)
class Line:
    """A label with the dots under it."""

    label: str
    dots: Sequence[Dot]


def dot_plot(
    slug: str,
    title: str,
    desc: str,
    lines: Sequence[Line],
    depth: int,
    scale: Scale = "linear",
) -> Markup:
    """Labelled rows of dots with a common axis; each row has space for `depth` dots."""
    axis = axis_of(lines, scale)
    label = Markup('<text x="0" y="{}" class="label">{}</text>')
    body, top = Markup(), 0
    for line in lines:
        body += label.format(top + 13, line.label)
        top += LABEL
        body += grid(axis, top, top + TRACK * depth)
        body += tracks(axis, line.dots, top + TRACK * (depth - len(line.dots)) / 2)
        top += TRACK * depth + GAP
    return svg(slug, title, desc, top + RULER, body + ruler(axis, top - GAP))


def strip(axis: Axis, dots: Sequence[Dot]) -> Markup:
    """Dots for a table cell whose row contains the same numbers."""
    height = TRACK * len(dots)
    return Markup('<svg aria-hidden="true" width="100%" height="{}">{}{}</svg>').format(
        height, grid(axis, 0, height), tracks(axis, dots, 0)
    )


def strip_ruler(axis: Axis) -> Markup:
    """The axis of the strips, for the table header."""
    return Markup('<svg aria-hidden="true" width="100%" height="{}">{}</svg>').format(
        RULER - 4, ruler(axis, -4, width=STRIP)
    )


def axis_of(lines: Sequence[Line], scale: Scale) -> Axis:
    """An axis that holds all dots and whiskers."""
    scores = [dot.score for line in lines for dot in line.dots]
    bounds = [b for score in scores for b in (score.value, score.low, score.high)]
    return Axis.over(bounds, scale)


def tracks(axis: Axis, dots: Sequence[Dot], top: float) -> Markup:
    """Each dot in a row of its own, which is empty without a finite value."""
    whisker = Markup(
        '<line class="whisker" x1="{:.2f}%" x2="{:.2f}%" y1="{y}" y2="{y}"/>'
    )
    mark = Markup('<svg x="{:.2f}%" y="{}" overflow="visible">{}</svg>')
    body = Markup()
    for index, dot in enumerate(dots):
        y = top + TRACK * index + TRACK / 2
        score = dot.score
        if not math.isfinite(score.value):
            continue
        ends = [
            axis.at(bound) if math.isfinite(bound) else axis.at(score.value)
            for bound in (score.low, score.high)
        ]
        body += Markup('<g class="{}">{}{}</g>').format(
            dot.kind,
            whisker.format(*ends, y=y),
            mark.format(axis.at(score.value), y, SHAPES[dot.kind]),
        )
    return body
