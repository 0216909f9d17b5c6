"""A test of two systems by exchanging their answers.

If two systems are exchangeable, each example is as likely with its answers exchanged.
The p-value is the share of exchanges with at least the observed gain. Unlike the
bootstrap, it is not deceived if the systems differ in a few examples only. For a mean
over examples, an exchange flips the sign of a difference; the test is exact if all
differences have one size (for right and wrong answers this is McNemar's exact test), or
if there are few. Otherwise exchanges are drawn.
Sources: Fisher 1935, "The design of experiments", section 21; Riezler and Maxwell 2005,
"On some pitfalls in automatic evaluation and significance testing for MT" (W05-0908),
for corpus metrics.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from graft.metrics.bootstrap import Array

NUM_EXCHANGES = (2_000, 8_000, 32_000)
"""Exchanges that are drawn, as long as the answer is open."""
STANDARD_ERRORS = 3.0
"""A p-value is below a level if this many standard errors do not change that."""
BATCH = 500
MOST_EXACT = 10
"""Differences of which all exchanges are counted: about as many as the fewest drawn."""
ROUNDING = 1e-9
"""Differences of sizes closer than this share are equal except for rounding."""


@dataclass(frozen=True)
class ExchangeTest:
    """A one-sided p-value, and its standard error, which is 0 if it is exact."""

    p_value: float
    error: float

    def side(self, level: float) -> bool | None:
        """Whether the p-value is at most `level`; None if that is open."""
        margin = STANDARD_ERRORS * self.error
        if self.p_value + margin <= level:
            return True
        return False if self.p_value - margin > level else None


def sign_flip_test(differences: Array, level: float, seed: int) -> ExchangeTest:
    """Test whether the sum of differences is above 0 by more than chance.

    Args:
        differences: of independent groups, shape [groups].
        level: the answer is sought for this level.
        seed: of the drawn exchanges.
    """
    sizes = np.abs(differences)
    moved = differences[sizes > ROUNDING * sizes.max(initial=0.0)]
    if len(moved) == 0:
        return ExchangeTest(1.0, 0.0)
    if np.allclose(np.abs(moved), abs(moved[0]), rtol=ROUNDING, atol=0):
        return _count(int((moved > 0).sum()), len(moved))
    if len(moved) <= MOST_EXACT:
        return _flip_all(moved)
    # The sum with drawn signs is the observed one minus twice the flipped part.
    reached = ROUNDING * float(np.abs(moved).sum())
    return _draw(moved[:, None], lambda flipped: flipped[:, 0] <= reached, level, seed)


def exchange_test(
    value: Callable[[Array], Array],
    champion: Array,
    challenger: Array,
    level: float,
    seed: int,
) -> ExchangeTest:
    """Test whether the challenger has a greater value by more than chance.

    Args:
        value: sums, shape [..., terms] → scores, shape [...], greater is better.
        champion: terms of its groups, shape [groups, terms].
        challenger: the same of the other system.
        level: the answer is sought for this level.
        seed: of the drawn exchanges.
    """
    delta = challenger - champion
    delta = delta[np.any(delta != 0, axis=1)]
    totals = champion.sum(axis=0), challenger.sum(axis=0)

    observed = float(value(totals[1]) - value(totals[0]))
    least = observed - abs(observed) * ROUNDING
    if len(delta) == 0:
        return ExchangeTest(1.0, 0.0)
    return _draw(
        delta,
        lambda moved: value(totals[1] - moved) - value(totals[0] + moved) >= least,
        level,
        seed,
    )


def _draw(
    terms: Array,
    reaches: Callable[[Array], "np.typing.NDArray[np.bool_]"],
    level: float,
    seed: int,
) -> ExchangeTest:
    """Draw exchanges until the answer is known.

    Args:
        terms: what an exchange of a group moves, shape [groups, terms].
        reaches: sums of moved terms, shape [exchanges, terms] → whether the gain is at
            least the observed one.
    """
    generator = np.random.default_rng(seed)
    found, number, reached = ExchangeTest(1.0, 0.0), 0, 0
    for most in NUM_EXCHANGES:
        while number < most:
            size = min(BATCH, most - number)
            moved = generator.integers(0, 2, (size, len(terms)), np.int8) @ terms
            number, reached = number + size, reached + int(reaches(moved).sum())
        p_value = (reached + 1) / (number + 1)
        error = math.sqrt(p_value * (1 - p_value) / number)
        found = ExchangeTest(p_value, error)
        if found.side(level) is not None:
            break
    return found


def _count(num_positive: int, number: int) -> ExchangeTest:
    from scipy.stats import binomtest

    found = binomtest(num_positive, number, alternative="greater")
    return ExchangeTest(float(found.pvalue), 0.0)


def _flip_all(moved: Array) -> ExchangeTest:
    from scipy.stats import permutation_test

    found = permutation_test(
        (moved,),
        lambda values, axis: values.sum(axis=axis),
        permutation_type="samples",
        alternative="greater",
        vectorized=True,
        n_resamples=np.inf,
    )
    return ExchangeTest(float(found.pvalue), 0.0)
