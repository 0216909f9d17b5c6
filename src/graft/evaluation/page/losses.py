"""Loss curves, as SVG that fits any width."""

from markupsafe import Markup

from graft.evaluation.curves import Curve, Curves
from graft.evaluation.page.plots import SHAPES
from graft.pages import style
from graft.pages.axis import Axis
from graft.pages.drawing import CHAR, RULER, ruler, svg

HEIGHT = 220
"""Height of the plot, in pixels."""
MARGIN = 10
"""Space between the tick labels and the plot, in pixels."""


def loss_figure(curves: Curves) -> Markup:
    """Training and validation loss by step; empty without curves."""
    if not curves:
        return Markup()
    room = MARGIN + CHAR * max(len(label) for _, label in _levels(_up(curves)))
    return Markup('<div style="padding-left:{}px">{}</div>').format(room, _plot(curves))


def to_image(curves: Curves) -> str:
    """The figure as a separate file, for `dvc plots`."""
    key = Markup(
        '<svg x="{}%" y="10" overflow="visible"><g class="{name}">{}</g>'
        '<text x="12" y="4">{name}</text></svg>'
    )
    keys = Markup().join(
        key.format(40 + 25 * place, SHAPES[name], name=name)
        for place, name in enumerate(curves)
    )
    return Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" width="760" height="{}">'
        "<style>{} svg {{ background: #fff; font-family: sans-serif; }}</style>"
        '<rect width="100%" height="100%" fill="#fff"/>{}'
        '<svg x="10%" y="30" width="87%">{}</svg></svg>\n'
    ).format(HEIGHT + RULER + 40, style(), keys, _plot(curves) if curves else "")


def _plot(curves: Curves) -> Markup:
    """The plot, with tick labels to its left."""
    across = Axis.over(step for curve in curves.values() for step, _ in curve)
    up = _up(curves)
    level = Markup(
        '<line class="{}" x1="0%" x2="100%" y1="{y:.1f}" y2="{y:.1f}"/>'
        '<text class="tick" x="-{margin}" y="{text:.1f}" text-anchor="end">{}</text>'
    )
    body = Markup()
    for value, label in _levels(up):
        y = _down(value, up)
        kind = "grid" if value else "zero"
        body += level.format(kind, label, y=y, text=y + 4, margin=MARGIN)
    for name, curve in curves.items():
        body += _path(name, curve, across, up)
    body += ruler(across, HEIGHT)
    return svg("losses", "Loss by step", _describe(curves), HEIGHT + RULER, body)


def _up(curves: Curves) -> Axis:
    return Axis.over(loss for curve in curves.values() for _, loss in curve)


def _levels(up: Axis) -> list[tuple[float, str]]:
    """Ticks of the loss axis with their labels."""
    return [(value, up.label(value)) for value in up.ticks]


def _path(name: str, curve: Curve, across: Axis, up: Axis) -> Markup:
    """A line with x in percent: it scales with the width, its stroke does not."""
    places = " ".join(
        f"{across.at(step):.3f},{_down(loss, up):.2f}" for step, loss in curve
    )
    return Markup(
        '<svg aria-hidden="true" width="100%" height="{0}" viewBox="0 0 100 {0}" '
        'preserveAspectRatio="none">'
        '<g class="{1}"><polyline class="curve" points="{2}"/></g></svg>'
    ).format(HEIGHT, name, places)


def _down(loss: float, up: Axis) -> float:
    return HEIGHT * (1 - up.at(loss) / 100)


def _describe(curves: Curves) -> str:
    """The figure as text."""
    return " ".join(
        f"{name.capitalize()} loss goes from {curve[0][1]:.3f} at step {curve[0][0]} "
        f"to {curve[-1][1]:.3f} at step {curve[-1][0]}."
        for name, curve in curves.items()
    )
