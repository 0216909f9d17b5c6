"""Axes with round ticks. Positions on an axis are in per cent of its width."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, Self

from graft.pages.numbers import tick

Scale = Literal["linear", "log"]
NUM_STEPS = 5
"""Maximum number of steps between ticks on one side of zero."""
NUM_DECADES = 8
"""Maximum number of powers of ten on a logarithmic axis, without its ends."""


@dataclass(frozen=True)
class Axis:
    """An axis from its first tick to its last.

    Attributes:
        ticks: two or more values in ascending order.
        scale: linear or logarithmic.
    """

    ticks: tuple[float, ...]
    scale: Scale = "linear"

    @classmethod
    def over(cls, values: Iterable[float], scale: Scale = "linear") -> Self:
        """The shortest axis with round ticks that covers the values.

        A linear axis covers zero and all finite values, a logarithmic axis all finite
        positive values.
        """
        finite = [value for value in values if math.isfinite(value)]
        if scale == "log":
            return cls(_factors([value for value in finite if value > 0]), scale)
        return cls(_steps([0.0, *finite]), scale)

    @property
    def low(self) -> float:
        """The value at the beginning of the axis."""
        return self.ticks[0]

    @property
    def high(self) -> float:
        """The value at the end of the axis."""
        return self.ticks[-1]

    @property
    def step(self) -> float:
        """The difference between neighbouring ticks of a linear axis."""
        return self.ticks[-1] - self.ticks[-2]

    def at(self, value: float) -> float:
        """Position of a value in per cent; a value beyond an end is at that end."""
        low, high = self.low, self.high
        if self.scale == "log":
            low, high, value = (math.log(max(x, self.low)) for x in (low, high, value))
        return min(100.0, max(0.0, 100 * (value - low) / (high - low)))

    def label(self, value: float) -> str:
        """A value with as many digits as a tick needs."""
        return tick(value, value if self.scale == "log" else self.step)


def _steps(values: list[float]) -> tuple[float, ...]:
    low, high = min(values), max(values)
    size = max(-low, high)
    if size == 0:
        return 0.0, 1.0
    power = 10.0 ** math.floor(math.log10(size / NUM_STEPS))
    step = next(
        power * factor
        for factor in (1, 2, 5, 10)
        if power * factor * NUM_STEPS >= size * (1 - 1e-9)
    )
    # A value that is on a tick up to rounding needs no further step.
    first, last = (math.ceil(side / step - 1e-9) for side in (-low, high))
    return tuple(index * step for index in range(-first, last + 1))


def _factors(values: list[float]) -> tuple[float, ...]:
    """Ticks of a logarithmic axis: 1, 2 and 5 times each power of ten if it covers at
    most three, otherwise only powers of ten."""
    low, high = (min(values), max(values)) if values else (1.0, 10.0)
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    last = max(last, first + 1)
    stride = math.ceil((last - first) / NUM_DECADES)
    marks = [10.0**power for power in range(first, last + stride, stride)]
    if last - first <= 3:
        marks = [m * factor for m in marks[:-1] for factor in (1, 2, 5)] + marks[-1:]
    begin = max(i for i, mark in enumerate(marks[:-1]) if mark <= low * (1 + 1e-9))
    end = min(
        i for i, mark in enumerate(marks) if i > begin and mark >= high * (1 - 1e-9)
    )
    return tuple(marks[begin : end + 1])
