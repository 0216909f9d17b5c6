"""MinHash signatures: rows that share the key of a band may be near-duplicates."""

from functools import cache

import numpy as np
import numpy.typing as npt
import polars as pl

from graft.config.near_duplicates import NearDuplicatesConfig
from graft.data.ordered import are_new
from graft.data.preprocess.near_duplicates.shingles import (
    Hashes,
    Keys,
    Offsets,
    mixed,
    odd_numbers,
    to_shingles,
    to_words,
)

MARKS = 3
Flags = npt.NDArray[np.bool_]
_MIN_RECALL = 0.95
_SIZE = np.uint64(0xFFFF)  # the bits of a set's size; a larger one has this size
_BLOCK = 65536  # shingles at a time: 256 KB, which a core's cache holds


def recall(similarity: float, num_bands: int, rows_per_band: int) -> float:
    """Probability that two texts of this Jaccard similarity share a band."""
    return float(1 - (1 - similarity**rows_per_band) ** num_bands)


@cache
def bands(config: NearDuplicatesConfig) -> tuple[int, int]:
    """Number of bands, and rows (permutations) in each.

    The largest number of rows that still finds 95 % of the pairs just at the threshold:
    more rows mean fewer pairs to compare, and fewer bands to store.
    """
    best = (config.num_permutations, 1)
    for rows in range(2, config.num_permutations + 1):
        number = config.num_permutations // rows
        if recall(config.threshold, number, rows) >= _MIN_RECALL:
            best = (number, rows)
    return best


def to_keys(texts: pl.Series, config: NearDuplicatesConfig) -> Keys:
    """Shape [rows, MARKS + bands]: a row's marks, then a key for each band.

    The marks are a hash of the row's numbers with the size of its set in the lowest 16
    bits, and two columns with two bits of the MinHash under each of the first 64
    permutations, from which `may_be_near` estimates the similarity. A row's keys depend
    only on its text and the config.
    """
    num_bands, rows_per_band = bands(config)
    words = to_words(texts)
    keys = np.zeros((len(texts), MARKS + num_bands), np.uint64)
    if texts.is_empty():
        return keys
    numbers = np.where(words.exact, words.hashes, np.uint64(0))
    keys[:, 0] = np.add.reduceat(numbers, words.lines[words.rows[:-1]])
    lines, hashes = to_shingles(words, config.shingle)
    offsets = lines[words.rows]
    keys[:, 0] = keys[:, 0] & ~_SIZE | np.minimum(_num_members(offsets, hashes), _SIZE)
    smallest = _minhash(offsets, hashes, num_bands * rows_per_band)
    for number, row in enumerate(smallest[:64]):
        bits = (row & np.uint32(3)).astype(np.uint64)
        keys[:, 1 + number // 32] |= bits << np.uint64(2 * (number % 32))
    weights = odd_numbers(rows_per_band, seed=0)[:, None]
    for band in range(num_bands):
        part = smallest[band * rows_per_band : (band + 1) * rows_per_band]
        keys[:, MARKS + band] = mixed((part * weights).sum(axis=0, dtype=np.uint64))
    return keys


def may_be_near(one: Keys, other: Keys, config: NearDuplicatesConfig) -> Flags:
    """Whether two rows can be near-duplicates according to their marks. Shape [pairs].

    The required similarity follows from the threshold, and from the sizes: the larger
    set has all but `max_replaced` of the smaller. This filter saves exact comparisons:
    it rejects 1 % of the pairs just at that similarity (2.3 standard deviations), and
    more than 95 % of those at half of it. `one`, `other`: shape [pairs, MARKS].
    Source: b-bit minwise hashing, Li and König 2010, with b = 2.
    """
    sizes = np.stack((one[:, 0] & _SIZE, other[:, 0] & _SIZE)).astype(np.float64)
    shared = (1 - config.max_replaced) * sizes.min(axis=0)
    needed = shared / (sizes.sum(axis=0) - shared)
    known = sizes.max(axis=0) < float(_SIZE)
    needed = np.maximum(np.where(known, needed, 0), config.threshold)
    differing = one[:, 1:] ^ other[:, 1:]
    differing = (differing | differing >> np.uint64(1)) & np.uint64(0x5555555555555555)
    num_bands, rows_per_band = bands(config)
    number = min(64, num_bands * rows_per_band)
    chance = 3 / 4 * (1 - needed)
    most = number * chance + 2.3 * np.sqrt(number * chance * (1 - chance))
    return np.asarray(np.bitwise_count(differing).sum(axis=1) <= most)


def same_numbers(marks: Keys) -> Keys:
    """A hash of each row's numbers, shape [rows]. `marks`: shape [rows, MARKS]."""
    return np.asarray(marks[:, 0] & ~_SIZE)


def _num_members(offsets: Offsets, hashes: Hashes) -> Keys:
    """Number of distinct hashes in each row. Shape [rows]."""
    places = np.arange(len(offsets) - 1, dtype=np.uint64) << np.uint64(32)
    placed = np.sort(np.repeat(places, np.diff(offsets)) | hashes)
    new = are_new(placed).astype(np.uint64)
    return np.asarray(np.add.reduceat(new, offsets[:-1]))


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
