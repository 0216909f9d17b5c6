"""The exact comparison of two texts: by their shingles, and by their numbers."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.sparse import csr_array

from graft.config.near_duplicates import NearDuplicatesConfig
from graft.data.near_duplicates.pairs import Pairs
from graft.data.near_duplicates.shingles import (
    Hashes,
    Offsets,
    to_shingles,
    to_words,
)

_BLOCK = 4_000_000  # set members compared at a time: 100 MB
Counts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Members:
    """One set of 32-bit hashes a row: offsets [rows + 1], sorted hashes [members]."""

    offsets: Offsets
    hashes: Hashes

    @cached_property
    def sizes(self) -> Counts:
        """Members of each row. Shape [rows]."""
        return np.diff(self.offsets)

    def common(self, pairs: Pairs) -> Counts:
        """Members that both rows of a pair have. Shape [pairs]."""
        ones = np.ones(len(self.hashes), np.int8)
        # A hash is its own column; nothing here is as long as a row of them.
        shape = (len(self.sizes), 2**32)
        matrix = csr_array((ones, self.hashes.astype(np.int64), self.offsets), shape)
        matrix.has_canonical_format = True
        ends = np.cumsum(self.sizes[pairs].sum(axis=1)) // _BLOCK
        blocks = np.split(pairs, np.flatnonzero(np.diff(ends)) + 1)
        return np.concatenate(
            [np.diff((matrix[p[:, 0]] * matrix[p[:, 1]]).indptr) for p in blocks]
        )


@dataclass(frozen=True)
class Sets:
    """What is compared of some rows: 4 bytes a word, and 24 a row."""

    shingles: Members
    numbers: Members


def to_sets(texts: pl.Series, config: NearDuplicatesConfig) -> Sets:
    """The sets of a batch of texts, the candidates only."""
    words = to_words(texts)
    offsets, hashes = to_shingles(words, config.shingle)
    exact = np.concatenate(([0], np.cumsum(words.exact)))[words.offsets]
    numbers = words.hashes[words.exact].astype(np.uint32)
    return Sets(_members(offsets, hashes), _members(exact, numbers))


def join_sets(parts: list[Sets]) -> Sets:
    """The rows of all parts, in their order."""
    return Sets(
        _joined([part.shingles for part in parts]),
        _joined([part.numbers for part in parts]),
    )


def are_near(
    pairs: Pairs, sets: Sets, config: NearDuplicatesConfig
) -> npt.NDArray[np.bool_]:
    """Which pairs are near-duplicates. Shape [pairs].

    Two things must reach the threshold: the share of all their shingles that both
    have (Jaccard), and the share of the numbers of the one with fewer that the other
    has too. So `3 + 4` is not `3 + 5` in a text of any template, and a copy that lost
    a sentence with its numbers is still a copy.

    Args:
        pairs: places in `sets`. Shape [pairs, 2].
        sets: of the rows that are compared.
        config: the threshold.
    """
    both = sets.shingles.common(pairs)
    either = sets.shingles.sizes[pairs].sum(axis=1) - both
    near: npt.NDArray[np.bool_] = both >= config.threshold * either
    left = np.flatnonzero(near)
    agreeing = sets.numbers.common(pairs[left])
    fewer = sets.numbers.sizes[pairs[left]].min(axis=1)
    near[left] = agreeing >= config.threshold * fewer
    return near


def _members(offsets: Offsets, hashes: Hashes) -> Members:
    """Each row's hashes, sorted and each once."""
    rows = np.repeat(np.arange(len(offsets) - 1, dtype=np.uint64), np.diff(offsets))
    placed = np.unique((rows << np.uint64(32)) | hashes)
    ends = np.arange(len(offsets), dtype=np.uint64) << np.uint64(32)
    return Members(
        np.searchsorted(placed, ends).astype(np.int64), placed.astype(np.uint32)
    )


def _joined(parts: list[Members]) -> Members:
    sizes = np.concatenate([np.zeros(1, np.int64), *(part.sizes for part in parts)])
    hashes = [np.empty(0, np.uint32), *(part.hashes for part in parts)]
    return Members(np.cumsum(sizes), np.concatenate(hashes))
