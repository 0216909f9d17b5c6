"""Evidence that stays valid however often it is looked at: e-processes.

An e-process of a hypothesis exceeds 1/α at any time with a probability of at most α, if
the hypothesis holds (Ville's inequality). So each new request may be looked at, and the
bounds at which it reaches 1/α are a confidence sequence. Everything here depends on
sums only, so that the order of requests does not matter, and broadcasts over arrays.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy import stats

Array = npt.NDArray[np.float64]
_STEPS = 16  # of a bisection: 1/65,536 of the range


def log_e_normal(excess: Array, variance: Array, df: Array, scale: float) -> Array:
    """Log evidence that a mean is above 0, from its estimate.

    The one-sided normal mixture on the estimate and its information, valid for large
    samples: an asymptotic confidence sequence (Waudby-Smith, Arbour, Sinha, Kennedy and
    Ramdas 2024, Annals of Statistics 52). Estimates from repeated requests of the same
    clients have independent increments, too (Gange and DeMets 1996, Biometrika 83).
    For few clients the statistic is taken as Student's, and converted.

    Args:
        excess: estimate, above 0 if it is against the hypothesis.
        variance: of the estimate; above 0.
        df: degrees of freedom of the variance.
        scale: standard deviation of the means in the alternative. Any is valid.
    """
    ratio = np.asarray(excess / np.sqrt(variance))
    tail = np.maximum(stats.t.sf(np.abs(ratio), np.maximum(df, 1.0)), 1e-300)
    z = np.sign(ratio) * stats.norm.isf(tail)
    prior = scale**2 / variance
    part = prior / (1 + prior)
    log_twice = np.log(2.0) + stats.norm.logcdf(z * np.sqrt(part))
    return np.asarray(log_twice + part * z**2 / 2 - np.log1p(prior) / 2)


def find_bound(
    evidence: Callable[[float], float], low: float, high: float, needed: float
) -> float:
    """The highest value, from `low` to `high`, with at least the needed evidence that
    the truth is above it; `low` if there is none. The evidence falls with the value."""
    if evidence(low) < needed:
        return low
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if evidence(middle) >= needed:
            low = middle
        else:
            high = middle
    return low
