"""Axes with round ticks; places on them are per cent of their width."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, Self

from graft.pages.numbers import tick

Scale = Literal["linear", "log"]
NUM_STEPS = 5
"""Most steps between ticks on one side of zero."""
NUM_DECADES = 8
"""Most powers of ten on a logarithmic axis, but for its ends."""


@dataclass(frozen=True)
class Axis:
    """From the first of its `ticks` to the last.

    Args:
        ticks: two or more, rising.
        scale: `log` if equal factors, not equal differences, are equally far.
    """

    ticks: tuple[float, ...]
    scale: Scale = "linear"

    @classmethod
    def over(cls, values: Iterable[float], scale: Scale = "linear") -> Self:
        """The shortest round axis that holds all `values` that it can.

        A linear one holds zero and all finite values, a logarithmic one all that are
        finite and positive.
        """
        finite = [value for value in values if math.isfinite(value)]
        if scale == "log":
            return cls(_factors([value for value in finite if value > 0]), scale)
        return cls(_steps([0.0, *finite]), scale)

    @property
    def low(self) -> float:
        """Where it begins."""
        return self.ticks[0]

    @property
    def high(self) -> float:
        """Where it ends."""
        return self.ticks[-1]

    @property
    def step(self) -> float:
        """From one tick of a linear axis to the next."""
        return self.ticks[-1] - self.ticks[-2]

    def at(self, value: float) -> float:
        """Place of a value in per cent; the nearer end for one beyond."""
        low, high = self.low, self.high
        if self.scale == "log":
            low, high, value = (math.log(max(x, self.low)) for x in (low, high, value))
        return min(100.0, max(0.0, 100 * (value - low) / (high - low)))

    def label(self, value: float) -> str:
        """A value with the digits that its tick needs."""
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
    # A value on a tick, but for rounding, needs no further step.
    first, last = (math.ceil(side / step - 1e-9) for side in (-low, high))
    return tuple(index * step for index in range(-first, last + 1))


def _factors(values: list[float]) -> tuple[float, ...]:
    """1, 2 and 5 of each power of ten over up to three; powers alone over more."""
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
