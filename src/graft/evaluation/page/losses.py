"""Loss curves, as SVG that fits any width."""

from importlib.resources import files

from markupsafe import Markup

from graft.evaluation.curves import Curve, Curves
from graft.evaluation.numbers import tick
from graft.evaluation.page.axis import Axis
from graft.evaluation.page.plots import RULER, ruler, svg

HEIGHT = 220
"""Of the drawing, in pixels."""


def loss_figure(curves: Curves) -> Markup:
    """Training and validation loss by step; empty without curves."""
    if not curves:
        return Markup()
    points = [point for curve in curves.values() for point in curve]
    across = Axis.over(step for step, _ in points)
    up = Axis.over(loss for _, loss in points)
    body = _levels(up)
    for name, curve in curves.items():
        body += _path(name, curve, across, up)
    body += ruler(across, HEIGHT)
    return svg("losses", "Loss by step", _tell(curves), HEIGHT + RULER, body)


def to_image(curves: Curves) -> str:
    """The figure as a file of its own, for `dvc plots`."""
    style = files("graft.evaluation.page").joinpath("style.css").read_text("utf-8")
    key = Markup(
        '<g class="{0}"><line x1="{1}%" x2="{2}%" y1="10" y2="10" class="curve"/>'
        '</g><text x="{3}%" y="14">{0}</text>'
    )
    keys = Markup().join(
        key.format(name, 40 + 25 * place, 44 + 25 * place, 45 + 25 * place)
        for place, name in enumerate(curves)
    )
    return Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" width="760" height="{}">'
        "<style>{} svg {{ background: #fff; font-family: sans-serif; }}</style>"
        '<rect width="100%" height="100%" fill="#fff"/>{}'
        '<svg x="3%" y="30" width="94%">{}</svg></svg>\n'
    ).format(HEIGHT + RULER + 40, Markup(style), keys, loss_figure(curves))


def _levels(up: Axis) -> Markup:
    """A line at every tick of the loss, with its number above the line."""
    level = Markup(
        '<line class="{}" x1="0%" x2="100%" y1="{y:.1f}" y2="{y:.1f}"/>'
        '<text class="tick" x="0" y="{text:.1f}">{}</text>'
    )
    found = Markup()
    for value in up.ticks:
        y = _down(value, up)
        kind = "grid" if value else "zero"
        found += level.format(kind, tick(value, up.step), y=y, text=y - 4)
    return found


def _path(name: str, curve: Curve, across: Axis, up: Axis) -> Markup:
    """A line whose places across are per cent: it stretches, its stroke does not."""
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


def _tell(curves: Curves) -> str:
    """The figure in words."""
    return " ".join(
        f"{name.capitalize()} loss goes from {curve[0][1]:.3f} at step {curve[0][0]} "
        f"to {curve[-1][1]:.3f} at step {curve[-1][0]}."
        for name, curve in curves.items()
    )
