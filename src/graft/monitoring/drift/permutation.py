"""How large the statistics become by chance: a permutation test over all features.

If the window has not drifted, its requests and the rows of the reference are
exchangeable: any other choice of as many rows is as likely to be the window. The test
is exact for every size and distribution (Lehmann & Romano, Testing Statistical
Hypotheses, 3rd edition, section 15.2). Features are combined by the smallest of their
p-values, whose own distribution is that over the same permutations (single-step
adjustment of Westfall & Young, Resampling-Based Multiple Testing, 1993): so the stated
rate is that of a false alarm of any feature, however they depend on each other.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from graft.monitoring.drift.counting import Counted, Floats
from graft.monitoring.drift.statistics import statistic

NUM_PERMUTATIONS = 1_999
_SEED = 0
_AT_ONCE = 100  # permutations: more do not fit into the cache of a core


@dataclass(frozen=True)
class Tested:
    """The outcome of the test.

    Args:
        statistics: of the window. Shape [features].
        thresholds: above them a feature has drifted. Shape [features].
        p_values: adjusted for the number of features. Shape [features].
    """

    statistics: Floats
    thresholds: Floats
    p_values: Floats


def permute(
    counted: Counted, size: int, rate: float, permutations: int = NUM_PERMUTATIONS
) -> Tested:
    """Test whether the first `size` rows differ from the others.

    Args:
        counted: rows of the window, then those of the reference.
        rate: of false alarms, over all features together.
    """
    total = counted.counts.sum(axis=0)
    num_rows = counted.counts.shape[0]
    by_bin = counted.counts.T.tocsr()
    chosen = _choose(num_rows, size, permutations)
    found = []
    for start in range(0, len(chosen), _AT_ONCE):
        some = chosen[start : start + _AT_ONCE]
        # Dense, with a permutation in each column, so that one entry of the counts is
        # added for all of them at once: faster than a product of sparse matrices.
        picks = np.zeros((num_rows, len(some)), np.float32)
        picks[some.T, np.arange(len(some))] = 1
        inside = np.ascontiguousarray((by_bin @ picks).T)
        found.append(
            np.stack(
                [
                    statistic(
                        one,
                        inside[:, one.columns],
                        total[one.columns] - inside[:, one.columns],
                    )
                    for one in counted.bins
                ],
                axis=1,
            )
        )
    return _combine(np.concatenate(found), rate)


@lru_cache(1)
def _choose(num_rows: int, size: int, permutations: int) -> npt.NDArray[np.int64]:
    """The rows of the window, and as many others for each permutation. Shape
    [1 + permutations, size]. Windows of one size have the same, so they are kept."""
    rng = np.random.default_rng(_SEED)
    chosen = [np.arange(size)]
    chosen += [
        rng.choice(num_rows, size, replace=False, shuffle=False)
        for _ in range(permutations)
    ]
    return np.stack(chosen)


def _combine(statistics: Floats, rate: float) -> Tested:
    """The outcome by the smallest p-values. Shape [1 + permutations, features]; the
    first row is that of the window."""
    rounded = np.round(statistics, 9)  # equal counts, but for the order of sums
    ordered = np.sort(rounded, axis=0)
    num_rows = len(ordered)
    alone = np.stack(
        [
            num_rows - np.searchsorted(column, values, side="left")
            for column, values in zip(ordered.T, rounded.T, strict=True)
        ],
        axis=1,
    )  # how many rows are at least as large
    smallest = np.sort(alone.min(axis=1))
    adjusted = np.searchsorted(smallest, alone[0], side="right") / num_rows
    allowed = _largest_allowed(smallest, rate)
    # At most `allowed` rows are as large as what is above the threshold.
    thresholds = ordered[num_rows - 1 - allowed]
    return Tested(rounded[0], thresholds, adjusted)


def _largest_allowed(smallest: npt.NDArray[np.int64], rate: float) -> int:
    """The largest count that at most a part `rate` of all rows has or is below."""
    counts = np.unique(smallest)
    shares = np.searchsorted(smallest, counts, side="right") / len(smallest)
    fitting = counts[shares <= rate]
    return int(fitting[-1]) if len(fitting) else 0
