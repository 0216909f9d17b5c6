"""An interval of a mean whose values may have a long tail on one side.

If gains are small and frequent, losses large and rare, most small samples contain too
few losses. Their mean is then too high and their standard error too small at the same
time, so Student's t and the bootstrap call a gain of 0 significant too often. Hall's
transformation removes the skewness from Student's statistic, and is monotone, so it has
an inverse. The skewness of a sample is itself too small, as its tail ends with the most
extreme value; this value is therefore counted twice in it.
Source: Hall 1992, "On the removal of skewness by transformation", JRSS B 54(1),
sections 2 and 3. docs/LOG.md has the error rates with and without counting twice.
"""

import math

import numpy as np

from graft.metrics.bootstrap import CONFIDENCE, Array


def skewed_bounds(gains: Array, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Bounds of a mean, relative to the mean of the sample.

    Args:
        gains: differences of independent groups from their mean, shape [groups], at
            least 2.
        confidence: share of intervals that contain the true mean.
    """
    from scipy.special import stdtrit  # pylint: disable=no-name-in-module

    number = len(gains)
    spread = float(np.sqrt(np.mean(gains**2)))
    if not spread:
        return 0.0, 0.0
    quantile = float(stdtrit(number - 1, 0.5 + confidence / 2))
    error = spread / math.sqrt(number - 1)
    cubes = float(np.sum((gains / spread) ** 3))
    lowest, highest = ((edge / spread) ** 3 for edge in (gains.min(), gains.max()))
    below, above = ((cubes + edge) / number**1.5 for edge in (lowest, highest))
    return (
        -error * _statistic(quantile, below),
        -error * _statistic(-quantile, above),
    )


def _statistic(transformed: float, skewness: float) -> float:
    """Student's statistic whose transformation has a value.

    Args:
        transformed: x + g x² / 3 + g² x³ / 27 + g / 6.
        skewness: g, of a mean: that of its groups / sqrt(their number).
    """
    if abs(skewness) < 1e-6:  # the limit; the quotient would lose its digits
        return transformed
    cube = 1 + skewness * (transformed - skewness / 6)
    return float(3 / skewness * (np.cbrt(cube) - 1))
