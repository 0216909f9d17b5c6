"""95 % intervals of shares and means."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Estimate:
    """A share or a mean of `number` values, with its interval; None if it is unknown
    from so few."""

    number: int
    value: float | None
    low: float | None = None
    high: float | None = None


def share(count: int, number: int) -> Estimate:
    """`count` of `number`. Source: Wilson 1927, "Probable inference", JASA 22(158)."""
    from scipy.stats import binomtest

    if not number:
        return Estimate(0, None)
    bounds = binomtest(count, number).proportion_ci(CONFIDENCE, method="wilson")
    return Estimate(number, count / number, float(bounds.low), float(bounds.high))


def mean(values: Sequence[float]) -> Estimate:
    """The mean of independent values, with Student's interval."""
    from scipy.stats import t

    number = len(values)
    if not number:
        return Estimate(0, None)
    middle = math.fsum(values) / number
    if number == 1:
        return Estimate(1, middle)
    variance = math.fsum((value - middle) ** 2 for value in values) / (number - 1)
    half = float(t.ppf(0.5 + CONFIDENCE / 2, number - 1)) * math.sqrt(variance / number)
    return Estimate(number, middle, middle - half, middle + half)
