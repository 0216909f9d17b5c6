"""The error rate of an attempt, if several are made on one test set.

Each attempt may promote a version that is no better, with a probability of at most its
error rate. Whatever the attempts depend on, the probability that any of them does is at
most the sum of their rates (Bonferroni's inequality). The sum is `BUDGET`. The first
attempt may use half of it, which is the lower bound of a 95 % interval; the others
share the rest equally, up to `registry.gate.max_attempts`.
Sources: Foster and Stine 2008, "α-investing: a procedure for sequential control of
expected false discoveries", JRSS B 70, for spending an error rate over a sequence of
tests; Dwork et al. 2015, "The reusable holdout", Science 349, for why a test set wears
out.
"""

from collections.abc import Collection
from dataclasses import dataclass

BUDGET = 0.05
"""Highest probability that any attempt on a test set promotes a version that is no
better."""
FIRST = BUDGET / 2
"""Error rate of the first attempt."""


@dataclass(frozen=True)
class Attempt:
    """An attempt to promote a version on a test set.

    Args:
        number: from 1.
        most: attempts that are allowed.
        error_rate: highest probability that it promotes a version that is no better; 0
            if it is not allowed.
    """

    number: int
    most: int
    error_rate: float

    @property
    def is_allowed(self) -> bool:
        """Whether a share of the budget is left."""
        return self.error_rate > 0

    @property
    def confidence(self) -> float:
        """Confidence of the two-sided interval whose lower bound has this error
        rate."""
        return 1 - 2 * self.error_rate


def next_attempt(spent: Collection[float], num_unused: int, most: int) -> Attempt:
    """The next attempt on a test set.

    Args:
        spent: error rates of the attempts that were made on it.
        num_unused: further versions that were evaluated on it: choosing the best of
            them is an attempt with each.
        most: `registry.gate.max_attempts`. If it is changed between attempts, the
            budget holds all the same.
    """
    number = len(spent) + num_unused + 1
    if number == 1:
        return Attempt(1, most, FIRST)
    later = (BUDGET - FIRST) / (most - 1) if number <= most else 0.0
    left = BUDGET - sum(spent)
    return Attempt(number, most, later if later <= left * (1 + 1e-9) else 0.0)
