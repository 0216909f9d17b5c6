"""Parts of plots as SVG that fits any width.

Places across are in per cent and places down in pixels, so that a plot shrinks to a
phone without shrinking its letters.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise

from markupsafe import Markup

from graft.pages.axis import Axis
from graft.pages.numbers import digits_of, number, share, tick

RULER = 22
"""Height of an axis's numbers, in pixels, as are those below."""
HEIGHT = 64
"""Of the tallest bar."""
CHAR = 8
"""Most width of a digit in an axis's numbers; a comma or a point has half of it."""
SPACE = 6
"""Least distance between two of them."""
NARROWEST = 280
"""Width of a plot on a small phone."""


def svg(slug: str, title: str, desc: str, height: float, body: Markup) -> Markup:
    """A plot with the words for those who do not see it. `slug` is unique on a page."""
    return Markup(
        '<svg role="img" aria-labelledby="{slug}-title {slug}-desc" width="100%" '
        'height="{height:.0f}"><title id="{slug}-title">{title}</title>'
        '<desc id="{slug}-desc">{desc}</desc>{body}</svg>'
    ).format(slug=slug, title=title, desc=desc, height=height, body=body)


def grid(axis: Axis, top: float, bottom: float) -> Markup:
    """A thin line at every tick, a stronger one at zero."""
    line = Markup('<line class="{}" x1="{x:.2f}%" x2="{x:.2f}%" y1="{}" y2="{}"/>')
    return Markup().join(
        line.format("grid" if value else "zero", top, bottom, x=axis.at(value))
        for value in axis.ticks
    )


def ruler(
    axis: Axis, top: float, *, more: bool = False, width: float = NARROWEST
) -> Markup:
    """The numbers of the ticks, as many as have room where the plot is `width` pixels
    wide; those at the ends stay inside.

    `more` says that the last one stands for larger values too.
    """
    words = [axis.label(value) for value in axis.ticks]
    words[-1] += "+" if more else ""
    text = Markup('<text class="tick" x="{:.2f}%" y="{}" text-anchor="{}">{}</text>')
    return Markup().join(
        text.format(axis.at(axis.ticks[i]), top + 16, _anchor(axis, i), words[i])
        for i in _shown(axis, words, width)
    )


def _anchor(axis: Axis, index: int) -> str:
    return {0: "start", len(axis.ticks) - 1: "end"}.get(index, "middle")


def _shown(axis: Axis, words: list[str], width: float) -> list[int]:
    """Ticks whose numbers do not touch: zero, those at equal distances from it, and the
    ends; on a logarithmic axis powers of ten, the ends, and what has room between. An
    end that touches zero or the first power of ten is left out."""
    size = len(words)
    round_ones = [i for i, word in enumerate(words) if word.strip("0.,+") in ("", "1")]
    origin = round_ones[0] if round_ones else 0

    def extent(index: int) -> tuple[float, float]:
        marks = sum(char in ",." for char in words[index])
        length = CHAR * (len(words[index]) - marks / 2) + SPACE
        shift = {"start": 0.0, "middle": 0.5, "end": 1.0}[_anchor(axis, index)]
        left = width * axis.at(axis.ticks[index]) / 100 - shift * length
        return left, left + length

    def touch(one: int, other: int) -> bool:
        (left, right), (start, end) = extent(one), extent(other)
        return left < end and start < right

    shown = [origin]

    def add(indices: Iterable[int]) -> None:
        for index in indices:
            if not any(touch(index, other) for other in shown):
                shown.append(index)

    add((size - 1, 0))
    if axis.scale == "log":
        add([*round_ones, *range(size)])
        return sorted(shown)
    for stride in (1, 2, 5):
        every = sorted({*shown, *range(origin % stride, size, stride)})
        if not any(touch(one, other) for one, other in pairwise(every)):
            return every
    return sorted(shown)


def bars(
    axis: Axis,
    edges: Sequence[float],
    counts: Sequence[int],
    kind: str,
    bottom: float,
    more: bool,
) -> Markup:
    """A bar for each bin that has a value; pointed at, it says what it holds.

    `more` says that the last bin holds larger values too.
    """
    shape = Markup(
        '<rect class="bar" x="{:.2f}%" width="{:.2f}%" y="{:.1f}" height="{:.1f}">'
        "<title>{}: {:,} ({})</title></rect>"
    )
    total, most = sum(counts), max(counts, default=0)
    drawn = Markup()
    for index, (low, high) in enumerate(pairwise(edges)):
        if not (held := counts[index]):
            continue
        if axis.scale == "log":
            least, upto = (number(edge, digits_of([edge])) for edge in (low, high))
        else:
            least, upto = (tick(edge, high - low) for edge in (low, high))
        left, right = axis.at(low), axis.at(high)
        height = max(HEIGHT * held / most, 1.0)
        drawn += shape.format(
            left + 0.15,
            right - left - 0.3,
            bottom - height,
            height,
            f"{least} and more" if more and high == edges[-1] else f"{least} to {upto}",
            held,
            share(held, total),
        )
    return Markup('<g class="{}">{}</g>').format(kind, drawn)
