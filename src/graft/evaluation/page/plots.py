"""Dots with whiskers, as SVG that fits any width.

Places across are in per cent and places down in pixels, so that a plot shrinks to a
phone without shrinking its letters.
"""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from graft.evaluation.numbers import tick
from graft.evaluation.page.axis import Axis
from graft.records import Score

TRACK = 12
"""Height of one dot with its whiskers, in pixels, as are those below."""
LABEL = 20
GAP = 10
RULER = 22
SHAPES = {
    "base": Markup('<circle r="4"/>'),
    "tuned": Markup('<circle r="4.5"/>'),
    "gold": Markup('<path d="M0-5.5 5.5 0 0 5.5-5.5 0z"/>'),
    "difference": Markup('<rect x="-4" y="-4" width="8" height="8"/>'),
}
"""Kinds of dots differ in shape, not in colour alone."""


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


def svg(slug: str, title: str, desc: str, height: float, body: Markup) -> Markup:
    """A plot with the words for those who do not see it. `slug` is unique on a page."""
    return Markup(
        '<svg role="img" aria-labelledby="{slug}-title {slug}-desc" width="100%" '
        'height="{height:.0f}"><title id="{slug}-title">{title}</title>'
        '<desc id="{slug}-desc">{desc}</desc>{body}</svg>'
    ).format(slug=slug, title=title, desc=desc, height=height, body=body)


def dot_plot(
    slug: str, title: str, desc: str, lines: Sequence[Line], depth: int
) -> Markup:
    """Labelled lines of dots over one axis; each line has room for `depth` dots."""
    axis = axis_of(lines)
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
    """Dots for a table's cell, whose row says the same in numbers."""
    height = TRACK * len(dots)
    return Markup('<svg aria-hidden="true" width="100%" height="{}">{}{}</svg>').format(
        height, grid(axis, 0, height), tracks(axis, dots, 0)
    )


def strip_ruler(axis: Axis) -> Markup:
    """The axis of the strips, for the table's head: only its ends and zero."""
    ends = {axis.low, 0.0, axis.high}
    return Markup('<svg aria-hidden="true" width="100%" height="{}">{}</svg>').format(
        RULER - 4, ruler(axis, -4, only=ends)
    )


def axis_of(lines: Sequence[Line]) -> Axis:
    """An axis that holds all dots and whiskers."""
    scores = [dot.score for line in lines for dot in line.dots]
    return Axis.over(
        bound for score in scores for bound in (score.value, score.low, score.high)
    )


def grid(axis: Axis, top: float, bottom: float) -> Markup:
    """A thin line at every tick, a stronger one at zero."""
    line = Markup('<line class="{}" x1="{x:.2f}%" x2="{x:.2f}%" y1="{}" y2="{}"/>')
    return Markup().join(
        line.format("grid" if value else "zero", top, bottom, x=axis.at(value))
        for value in axis.ticks
    )


def ruler(
    axis: Axis, top: float, *, only: Collection[float] | None = None, more: bool = False
) -> Markup:
    """The ticks' numbers, all or `only` some; those at the ends stay inside.

    `more` says that the last one stands for larger values too.
    """
    anchors = {axis.low: "start", axis.high: "end"}
    text = Markup('<text class="tick" x="{:.2f}%" y="{}" text-anchor="{}">{}</text>')
    return Markup().join(
        text.format(
            axis.at(value),
            top + 16,
            anchors.get(value, "middle"),
            tick(value, axis.step) + ("+" if more and value == axis.high else ""),
        )
        for value in axis.ticks
        if only is None or value in only
    )


def tracks(axis: Axis, dots: Sequence[Dot], top: float) -> Markup:
    """Each dot on a track of its own; one without a finite value leaves it empty."""
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
