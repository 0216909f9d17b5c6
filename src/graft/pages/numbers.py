"""Numbers as pages show them: digits, signs and separators in one place."""

import math
from collections.abc import Sequence

from graft.records import Score


def digits_of(values: Sequence[float]) -> int:
    """Digits after the point that keep about three in all: 1234, 82.6, 4.31, 0.127."""
    most = max((abs(value) for value in values if math.isfinite(value)), default=0.0)
    if most >= 1000:
        return 0
    if most == 0 or most >= 10:
        return 1
    return 2 if most >= 1 else 3


def number(value: float, digits: int = 1, sign: str = "") -> str:
    """`1,234.5`; with `sign="+"` also `+1.2` and `−1.2`, but never a signed zero."""
    if math.isnan(value):
        return "undefined"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    text = f"{value:{sign},.{digits}f}"
    if not any(char in "123456789" for char in text):
        text = text.lstrip("+-")
    return text.replace("-", "−")


def interval(score: Score, digits: int, sign: str = "") -> str:
    """The bounds of a score: `80.8 to 84.1`."""
    return f"{number(score.low, digits, sign)} to {number(score.high, digits, sign)}"


def share(part: float, whole: float) -> str:
    """A part of a whole in per cent."""
    return f"{100 * part / whole:.1f} %" if whole else "0.0 %"


def tick(value: float, step: float) -> str:
    """A value on an axis with ticks every `step`."""
    return number(value, max(0, -math.floor(math.log10(step) + 1e-9)))
