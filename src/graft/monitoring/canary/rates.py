"""Evidence on the difference of two rates, for any time and any order of requests.

A hypothesis is that the first group's rate exceeds the second's by at most `at`. For
each pair of rates outside of it, the likelihood is divided by that of the nearest pair
inside (in Kullback-Leibler divergence): the reverse information projection, which
makes the quotient an e-value for the whole hypothesis. It is exact if each request goes
to the first group with the same probability, which is taken from the data. A mixture
over all pairs is an e-value, too, and finds small and large differences.
Sources: Turner, Ly and Grünwald 2024, "Generic E-variables for exact sequential
k-sample tests that allow for optional stopping", J. Statistical Planning and Inference
230; Turner and Grünwald 2023, "Exact anytime-valid confidence intervals for contingency
tables and beyond", Statistics & Probability Letters 198.
"""

from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy import special

Array = npt.NDArray[np.float64]
LOGITS = np.arange(-9.0, 8.0, 0.5)
"""Of the rates in the mixture: 0.01 % to 99.9 %."""
_STEPS = 30  # of the bisection for the nearest pair


def log_e_rates(
    bad: Array, number: Array, other: Array, total: Array, at: float
) -> Array:
    """Log e-value against "the first rate exceeds the second by at most `at`".

    Args:
        bad, number: requests with the property, and all, of the first group. [...]
        other, total: of the second group. [...]
        at: above -1 and below 1.
    """
    share = number / np.maximum(number + total, 1)
    rounded = np.clip(np.round(share, 2), 0.01, 0.99)
    counts = np.stack([bad, number - bad, other, total - other], -1)
    found = np.zeros(rounded.shape)
    for one in np.unique(rounded):
        mask = rounded == one
        likelihoods = counts[mask] @ _table(float(one), at) + _prior(at)[1]
        found[mask] = special.logsumexp(likelihoods, axis=-1)
    return found


@lru_cache(maxsize=4096)
def _table(share: float, at: float) -> Array:
    """Log quotients for one request of each kind. [4, pairs]"""
    (first, second), _ = _prior(at)
    p = _nearest(first, second, share, at)
    return np.stack(
        [
            np.log(first / (p + at)),
            np.log((1 - first) / (1 - p - at)),
            np.log(second / p),
            np.log((1 - second) / (1 - p)),
        ]
    )


@lru_cache(maxsize=1024)
def _prior(at: float) -> tuple[tuple[Array, Array], Array]:
    """Pairs of rates outside of the hypothesis, and the log of their weights: half of
    that of equal rates if they differ by two in the logit, as 1 % and 7 %."""
    one, two = np.meshgrid(LOGITS, LOGITS, indexing="ij")
    first, second = (1 / (1 + np.exp(-logit)) for logit in (one, two))
    is_outside = first - second > at + 1e-6
    weights = 1 / (1 + ((one - two)[is_outside] / 2) ** 2)
    pairs = first[is_outside], second[is_outside]
    return pairs, np.asarray(np.log(weights / weights.sum()))


def _nearest(first: Array, second: Array, share: float, at: float) -> Array:
    """The second rates of the nearest pairs inside, whose difference is `at`."""
    low = np.full(first.shape, max(0.0, -at))
    high = np.full(first.shape, min(1.0, 1 - at))
    for _ in range(_STEPS):
        p = (low + high) / 2
        slope = share * (first / (p + at) - (1 - first) / (1 - p - at))
        slope += (1 - share) * (second / p - (1 - second) / (1 - p))
        low, high = np.where(slope > 0, p, low), np.where(slope > 0, high, p)
    return np.asarray((low + high) / 2)
