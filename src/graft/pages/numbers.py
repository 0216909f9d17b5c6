"""Formats of numbers on all pages: digits, signs and separators."""

import math
from collections.abc import Sequence

from graft.records import Score


def digits_of(values: Sequence[float]) -> int:
    """Decimal places for about three significant digits: 1234, 82.6, 4.31, 0.127."""
    most = max((abs(value) for value in values if math.isfinite(value)), default=0.0)
    if most >= 1000:
        return 0
    if most == 0 or most >= 10:
        return 1
    return 2 if most >= 1 else 3


def number(value: float, digits: int = 1, sign: str = "") -> str:
    """A number as text: `1,234.5`; with `sign="+"`, `+1.2` or `−1.2`; never `-0.0`."""
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
    """A proportion in per cent: `12.5 %`."""
    return f"{100 * part / whole:.1f} %" if whole else "0.0 %"


def tick(value: float, step: float) -> str:
    """The label of a value on an axis with a tick every `step`."""
    return number(value, max(0, -math.floor(math.log10(step) + 1e-9)))
