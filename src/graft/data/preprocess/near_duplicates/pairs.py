"""One band's keys of all rows → pairs of rows to compare, at most three per row."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from graft.config.near_duplicates import NearDuplicatesConfig
from graft.data.ordered import are_new, repeated
from graft.data.preprocess.near_duplicates.shingles import Keys
from graft.data.preprocess.near_duplicates.signatures import may_be_near, same_numbers

Pairs = npt.NDArray[np.int64]
NO_PAIRS: Pairs = np.empty((0, 2), np.int64)


def to_pairs(band: Keys, marks: Keys, config: NearDuplicatesConfig) -> Pairs:
    """Candidate pairs, the earlier row first. Shape [pairs, 2].

    Rows with the same key are ordered by the numbers in their texts, then by position.
    Each is paired with the first of them, the one before it, and the first with the
    same numbers. So all pairs of up to three rows are compared; if a million rows fill
    in one template, those with the same numbers still are. Pairs whose marks rule out
    the threshold are left out.

    Args:
        band: one column of the keys. Shape [rows].
        marks: the first columns of the keys (see `to_keys`). Shape [rows, MARKS].
    """
    rows = repeated(band)
    numbers = same_numbers(marks)
    rows = rows[np.lexsort((rows, numbers[rows], band[rows]))]
    bucket = _starts(band[rows])
    run = np.maximum(bucket, _starts(numbers[rows]))
    here = np.arange(len(rows))
    before = np.where(here > bucket, here - 1, here)
    found = []
    for other in (bucket, run, before):
        pairs = np.stack((rows[other], rows), axis=1)[other < here]
        possible = may_be_near(marks[pairs[:, 0]], marks[pairs[:, 1]], config)
        found.append(pairs[possible])
    return join_pairs(found)


def join_pairs(parts: Iterable[Pairs]) -> Pairs:
    """The distinct pairs of all parts, sorted, the earlier row first."""
    pairs = np.sort(np.concatenate([NO_PAIRS, *parts]), axis=1)
    pairs = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
    return np.asarray(pairs[are_new(pairs[:, 0]) | are_new(pairs[:, 1])])


def _starts(values: Keys) -> npt.NDArray[np.int64]:
    """For each index, the start of its run of equal values."""
    places = np.where(are_new(values), np.arange(len(values)), 0)
    return np.asarray(np.maximum.accumulate(places))
