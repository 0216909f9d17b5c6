"""Format comparisons: number of digits, and intervals."""

from graft.metrics import Comparison
from graft.pages.numbers import digits_of, number
from graft.records import Score

MOST_DIGITS = 4


def comparison_digits(found: Comparison) -> int:
    """Decimal digits for all numbers of a comparison.

    More than usual if the interval of a significant difference would otherwise be
    rounded to zero.
    """
    digits = digits_of([found.base.value, found.tuned.value])
    nearest = min(abs(found.difference.low), abs(found.difference.high))
    while found.is_significant and digits < MOST_DIGITS and round(nearest, digits) == 0:
        digits += 1
    return digits


def with_interval(score: Score, digits: int = 1, sign: str = "") -> str:
    """`61.2 [60.1, 62.4]`."""
    low, high = (number(bound, digits, sign) for bound in (score.low, score.high))
    return f"{number(score.value, digits, sign)} [{low}, {high}]"
