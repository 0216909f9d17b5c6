"""Rows of features as counts in bins, so that all statistics are sums over rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from graft.monitoring.features import BIGRAM_BITS, PREFIX, TEMPLATE_BITS, TOKEN_BITS

LENGTHS = ("tokens", "chars", "words", "lines")
NUMBERS = (
    *LENGTHS,
    *("chars_per_token", "chars_per_word", "digits", "punctuation", "symbols"),
    *("capitals", "non_ascii", "personal_data"),
)
CATEGORIES = ("language", "script")
HASHES = {
    "opening": TEMPLATE_BITS,
    "closing": TEMPLATE_BITS,
    "ngrams": TOKEN_BITS,
    "bigrams": BIGRAM_BITS,
}
"""Features of hashes, and how many bits they have."""
NUM_BINS = 64
"""Of a number."""
NUM_CATEGORIES = 32
"""The others are one category."""
OTHERS = "others"

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Bins:
    """The bins of one feature: consecutive columns of the counts.

    Args:
        labels: of categories; of a number, the highest value in each bin; of hashes,
            none.
        is_ordered: whether it is a number.
    """

    feature: str
    columns: slice
    labels: tuple[Any, ...]
    is_ordered: bool


@dataclass(frozen=True)
class Counted:
    """Rows as counts.

    Args:
        counts: sparse, shape [rows, bins of all features]. A row has one entry in the
            bins of a number or a category, and one per n-gram.
        bins: of each feature.
    """

    counts: Any
    bins: tuple[Bins, ...]


def count(rows: pa.Table, features: Sequence[str]) -> Counted:
    """Count rows in bins. The bins are made of all these rows, whose order does not
    matter, so a permutation of the rows keeps them."""
    from scipy.sparse import csr_array, hstack

    parts, bins, start = [], [], 0
    for feature in features:
        column = rows[PREFIX + feature].combine_chunks()
        labels, owner, codes, size = _codes(feature, column)
        ones = np.ones(len(codes), np.float32)
        parts.append(csr_array((ones, (owner, codes)), shape=(rows.num_rows, size)))
        columns = slice(start, start + size)
        bins.append(Bins(feature, columns, labels, feature in NUMBERS))
        start += size
    return Counted(hstack(parts, format="csr"), tuple(bins))


def _codes(
    feature: str, column: Any
) -> tuple[tuple[Any, ...], npt.NDArray[Any], npt.NDArray[Any], int]:
    """Labels; the row and the bin of each value; the number of bins."""
    rows = np.arange(len(column))
    if feature in HASHES:
        if pa.types.is_list(column.type):
            lengths = np.asarray(column.value_lengths())
            rows, column = np.repeat(rows, lengths), column.flatten()
        found, codes = np.unique(np.asarray(column), return_inverse=True)
        return (), rows, codes, len(found)
    if feature in CATEGORIES:
        values = column.to_numpy(zero_copy_only=False).astype(str)
        names, codes, counts = np.unique(
            values, return_inverse=True, return_counts=True
        )
        order = np.argsort(-counts, kind="stable")
        place = np.empty(len(order), int)
        place[order] = np.arange(len(order))
        labels = [str(name) or "unknown" for name in names[order]]
        if len(labels) > NUM_CATEGORIES:
            labels[NUM_CATEGORIES - 1 :] = [OTHERS]
        codes = np.minimum(place[codes], len(labels) - 1)
        return tuple(labels), rows, codes, len(labels)
    numbers = np.asarray(column, np.float64)
    shares = np.linspace(0, 1, NUM_BINS + 1)[1:]
    edges = np.unique(np.quantile(numbers, shares, method="inverted_cdf"))
    codes = np.searchsorted(edges, numbers)
    return tuple(edges.tolist()), rows, codes, len(edges)
