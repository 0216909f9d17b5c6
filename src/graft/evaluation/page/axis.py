"""An axis with round ticks; places on it are per cent of its width."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

NUM_STEPS = 5
"""Most steps between ticks on one side of zero."""


@dataclass(frozen=True)
class Axis:
    """From `low` to `high` with a tick every `step`; holds zero."""

    low: float
    high: float
    step: float

    @classmethod
    def over(cls, values: Iterable[float]) -> Self:
        """The shortest round axis that holds zero and all finite `values`."""
        finite = [0.0, *(value for value in values if math.isfinite(value))]
        low, high = min(finite), max(finite)
        size = max(-low, high)
        if size == 0:
            return cls(0.0, 1.0, 1.0)
        power = 10.0 ** math.floor(math.log10(size / NUM_STEPS))
        step = next(
            power * factor
            for factor in (1, 2, 5, 10)
            if power * factor * NUM_STEPS >= size * (1 - 1e-9)
        )
        # A value on a tick, but for rounding, needs no further step.
        first, last = (math.ceil(side / step - 1e-9) for side in (-low, high))
        return cls(-first * step, last * step, step)

    @property
    def ticks(self) -> list[float]:
        """From low to high."""
        first, last = round(self.low / self.step), round(self.high / self.step)
        return [index * self.step for index in range(first, last + 1)]

    def at(self, value: float) -> float:
        """Place of a value in per cent; the nearer end for one beyond."""
        place = 100 * (value - self.low) / (self.high - self.low)
        return min(100.0, max(0.0, place))
