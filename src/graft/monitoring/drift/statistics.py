"""Distances between the distributions of a feature in the window and the reference."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from graft.monitoring.drift.counting import Bins, Floats

PSI_FLOOR = 1e-4
"""Least share of a bin in PSI, which is infinite for empty bins."""


@dataclass(frozen=True)
class Distances:
    """Further measures of a feature, for readers; they raise no alarm.

    Args:
        psi: population stability index, as in Siddiqi 2006. In credit scoring, over
            0.25 means a shift; in small windows chance alone gives more.
        p_value: of the two-sample Kolmogorov-Smirnov test for a number, else of χ²;
            asymptotic, for one feature alone. χ² takes n-grams of one prompt for
            independent, which they are not: None for n-grams.
    """

    psi: float
    p_value: float | None


def statistic(bins: Bins, window: npt.NDArray[Any], reference: npt.NDArray[Any]) -> Any:
    """The statistic of one feature: Kolmogorov-Smirnov's of a number, the
    Jensen-Shannon distance (base 2) of others. Both are 0 to 1.

    Args:
        window, reference: counts in the bins. Shape [..., bins].
    Returns: shape [...].
    """
    shares = _shares(window), _shares(reference)
    if bins.is_ordered:
        return np.abs(np.cumsum(shares[0] - shares[1], axis=-1)).max(axis=-1)
    from scipy.spatial.distance import jensenshannon

    # Rounding can make the square of the distance of equal distributions negative.
    with np.errstate(invalid="ignore"):
        return np.nan_to_num(jensenshannon(*shares, base=2, axis=-1))


def measure(bins: Bins, window: Floats, reference: Floats) -> Distances:
    """Further measures. Shapes [bins]."""
    from scipy.stats import chi2_contingency, ks_2samp

    shares = [np.maximum(_shares(one), PSI_FLOOR) for one in (window, reference)]
    psi = float(((shares[0] - shares[1]) * np.log(shares[0] / shares[1])).sum())
    if bins.is_ordered:
        places = np.arange(len(window))
        samples = [np.repeat(places, one.astype(int)) for one in (window, reference)]
        found = ks_2samp(*samples, method="asymp").pvalue
    elif bins.feature.endswith("grams"):
        return Distances(psi, None)
    else:
        table = np.stack([window, reference])
        table = table[:, table.sum(axis=0) > 0]
        if table.shape[1] < 2:
            return Distances(psi, 1.0)
        found = chi2_contingency(table, correction=False).pvalue
    return Distances(psi, float(found))


def _shares(counts: npt.NDArray[Any]) -> Floats:
    total = counts.sum(axis=-1, keepdims=True)
    shares: Floats = counts / np.maximum(total, 1)
    return shares
