"""Texts → the keys of their bands: rows that share one may be near-duplicates."""

from functools import cache

import numpy as np
import numpy.typing as npt
import polars as pl

from graft.config.near_duplicates import NearDuplicatesConfig
from graft.data.near_duplicates.shingles import (
    Hashes,
    Keys,
    Offsets,
    mixed,
    odd_numbers,
    to_shingles,
    to_words,
)

_MIN_RECALL = 0.95
_BLOCK = 65536  # shingles at a time: 256 KB, which a core's cache holds


def recall(similarity: float, num_bands: int, rows_per_band: int) -> float:
    """Chance that two texts of this Jaccard similarity share a band."""
    return float(1 - (1 - similarity**rows_per_band) ** num_bands)


@cache
def bands(config: NearDuplicatesConfig) -> tuple[int, int]:
    """Number of bands, and rows (permutations) in each.

    As many rows as still find 95 % of the pairs that are just at the threshold: each
    row more means fewer pairs to compare, and fewer bands to keep.
    """
    best = (config.num_permutations, 1)
    for rows in range(2, config.num_permutations + 1):
        number = config.num_permutations // rows
        if recall(config.threshold, number, rows) >= _MIN_RECALL:
            best = (number, rows)
    return best


def to_keys(texts: pl.Series, config: NearDuplicatesConfig) -> Keys:
    """Shape [rows, 1 + bands]: a key of the row's numbers, then one for each band.

    A row's keys depend on its text and the config alone.
    """
    num_bands, rows_per_band = bands(config)
    words = to_words(texts)
    keys = np.empty((len(texts), 1 + num_bands), np.uint64)
    if not len(texts):
        return keys
    numbers = np.where(words.exact, words.hashes, np.uint64(0))
    keys[:, 0] = np.add.reduceat(numbers, words.lines[words.rows[:-1]])
    lines, hashes = to_shingles(words, config.shingle)
    smallest = _minhash(lines[words.rows], hashes, num_bands * rows_per_band)
    weights = odd_numbers(rows_per_band, seed=0)[:, None]
    for band in range(num_bands):
        part = smallest[band * rows_per_band : (band + 1) * rows_per_band]
        keys[:, 1 + band] = mixed((part * weights).sum(axis=0, dtype=np.uint64))
    return keys


def _minhash(
    offsets: Offsets, hashes: Hashes, num_permutations: int
) -> npt.NDArray[np.uint32]:
    """Each row's smallest hash under each permutation, [permutations, rows].

    Multiplying by an odd number permutes the 32-bit numbers.
    """
    factors = odd_numbers(num_permutations, seed=1).astype(np.uint32) | np.uint32(1)
    smallest = np.empty((num_permutations, len(offsets) - 1), np.uint32)
    first = 0
    while first < len(offsets) - 1:
        end = offsets.searchsorted(offsets[first] + _BLOCK, side="right") - 1
        end = max(first + 1, int(end))
        block = hashes[offsets[first] : offsets[end]]
        starts = offsets[first:end] - offsets[first]
        permuted = np.empty_like(block)
        for number, factor in enumerate(factors):
            np.multiply(block, factor, out=permuted)
            smallest[number, first:end] = np.minimum.reduceat(permuted, starts)
        first = end
    return smallest
