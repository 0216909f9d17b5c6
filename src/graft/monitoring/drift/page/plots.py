"""Paired bars: the training data beside the window."""

from markupsafe import Markup

from graft.monitoring.drift.report import FeatureDrift
from graft.pages.drawing import CHAR, HEIGHT, NARROWEST, RULER, svg
from graft.pages.numbers import share

_BAR = Markup(
    '<rect class="bar" x="{:.2f}%" width="{:.2f}%" y="{:.1f}" height="{:.1f}">'
    "<title>{}</title></rect>"
)
_LABEL = Markup('<text class="tick" x="{:.2f}%" y="{}" text-anchor="middle">{}</text>')
_LINE = Markup('<line class="zero" x1="0%" x2="100%" y1="{0}" y2="{0}"/>')


def plot(one: FeatureDrift) -> Markup:
    """The shares of both sides in each bin, to one scale. The last bin of a number
    also holds what is greater."""
    width = 100 / len(one.bars)
    most = max(max(pair.reference, pair.window) for pair in one.bars)
    groups = {"base": Markup(), "tuned": Markup()}
    labels = Markup()
    longest = max(len(pair.label) for pair in one.bars)
    stride = max(1, -(-(longest + 2) * CHAR * len(one.bars) // NARROWEST))
    for place, pair in enumerate(one.bars):
        sides = (("base", pair.reference, 0.08), ("tuned", pair.window, 0.5))
        for kind, value, shift in sides:
            height = HEIGHT * value / most
            side = "training" if kind == "base" else "requests"
            text = f"{pair.label}: {share(value, 1)} of {side}"
            groups[kind] += _BAR.format(
                width * (place + shift), width * 0.42, HEIGHT - height, height, text
            )
        if place % stride == 0:
            labels += _LABEL.format(width * (place + 0.5), HEIGHT + 16, pair.label)
    body = Markup().join(
        Markup('<g class="{}">{}</g>').format(kind, drawn)
        for kind, drawn in groups.items()
    )
    desc = "; ".join(
        f"{pair.label}: {share(pair.reference, 1)} and {share(pair.window, 1)}"
        for pair in one.bars
    )
    title = f"Shares of the training prompts and of the requests by {one.feature}"
    drawn = body + _LINE.format(HEIGHT) + labels
    return svg(f"plot-{one.feature}", title, desc, HEIGHT + RULER, drawn)
