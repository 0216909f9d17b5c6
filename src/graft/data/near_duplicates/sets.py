"""The exact comparison of two texts: by their shingles, lines and numbers."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import polars as pl

from graft.config.near_duplicates import NearDuplicatesConfig
from graft.data.near_duplicates.pairs import Pairs
from graft.data.near_duplicates.shingles import Hashes, Offsets, to_shingles, to_words
from graft.data.ordered import distinct

if TYPE_CHECKING:
    from scipy.sparse import csr_array

_BLOCK = 4_000_000  # set members compared at a time: 100 MB
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Members:
    """Sets of 32-bit hashes: offsets [sets + 1], sorted hashes [members]."""

    offsets: Offsets
    hashes: Hashes

    @property
    def sizes(self) -> Ints:
        """Members of each set. Shape [sets]."""
        return np.diff(self.offsets)

    def common(self, other: "Members", mine: Ints, its: Ints) -> Ints:
        """How many members the sets of a pair share. Shape [pairs].

        Args:
            other: the sets to compare with.
            mine: places in these. Shape [pairs].
            its: places in the others. Shape [pairs].
        """
        ends = np.cumsum(self.sizes[mine] + other.sizes[its]) // _BLOCK
        blocks = np.split(np.arange(len(mine)), np.flatnonzero(np.diff(ends)) + 1)
        return np.concatenate(
            [
                np.diff((_matrix(self, mine[at]) * _matrix(other, its[at])).indptr)
                for at in blocks
            ]
        )


@dataclass(frozen=True)
class Sets:
    """What is compared of some rows, in about 8 bytes a word."""

    rows: Offsets  # row i has lines rows[i] to rows[i + 1]
    lines: Members  # shingles of each line
    shingles: Members  # of each row
    numbers: Members  # of each row


def to_sets(texts: pl.Series, config: NearDuplicatesConfig) -> Sets:
    """The sets of a batch of texts, those of candidates only."""
    words = to_words(texts)
    lines, hashes = to_shingles(words, config.shingle)
    exact = np.concatenate(([0], np.cumsum(words.exact)))[words.lines[words.rows]]
    numbers = words.hashes[words.exact].astype(np.uint32)
    return Sets(
        words.rows,
        _members(lines, hashes),
        _members(lines[words.rows], hashes),
        _members(exact, numbers),
    )


def join_sets(parts: list[Sets]) -> Sets:
    """The rows of all parts, in their order."""
    sizes = [np.zeros(1, np.int64), *(np.diff(part.rows) for part in parts)]
    return Sets(
        np.cumsum(np.concatenate(sizes)),
        _joined([part.lines for part in parts]),
        _joined([part.shingles for part in parts]),
        _joined([part.numbers for part in parts]),
    )


def are_near(pairs: Pairs, sets: Sets, config: NearDuplicatesConfig) -> Flags:
    """Which pairs are near-duplicates. Shape [pairs]. Three things must hold.

    - The share of all their shingles that both have (Jaccard) reaches the threshold.
    - Of the shingles and of the numbers of the one with fewer, the other lacks at most
      `max_replaced`: a word more changes little, another word says something else, and
      `3 + 4` is not `3 + 5`, however long the text around it.
    - It is not so that both have a line of which the other has less than half: another
      question about the same passage is another example, and so is another answer.

    A copy that lost or gained a sentence, a line or a number is still a copy.

    Args:
        pairs: places in `sets`. Shape [pairs, 2].
        sets: of the rows that are compared.
        config: threshold and max_replaced.
    """
    both = sets.shingles.common(sets.shingles, *pairs.T)
    sizes = sets.shingles.sizes[pairs]
    near = both >= config.threshold * (sizes.sum(axis=1) - both)
    near &= both >= (1 - config.max_replaced) * sizes.min(axis=1)
    left = np.flatnonzero(near)
    both = sets.numbers.common(sets.numbers, *pairs[left].T)
    fewer = sets.numbers.sizes[pairs[left]].min(axis=1)
    near[left] = both >= (1 - config.max_replaced) * fewer
    left = np.flatnonzero(near)
    one, other = pairs[left].T
    near[left] = ~(_has_own_line(sets, one, other) & _has_own_line(sets, other, one))
    return np.asarray(near)


def _has_own_line(sets: Sets, rows: Ints, others: Ints) -> Flags:
    """Whether a row has a line of which the other row has less than half."""
    if rows.size == 0:
        return np.zeros(0, bool)
    counts = np.diff(sets.rows)[rows]
    lines = _ranges(sets.rows, rows)
    shared = sets.lines.common(sets.shingles, lines, np.repeat(others, counts))
    own = 2 * shared < sets.lines.sizes[lines]
    return np.asarray(np.logical_or.reduceat(own, np.cumsum(counts) - counts))


def _members(offsets: Offsets, hashes: Hashes) -> Members:
    """Each set's hashes, sorted and each once."""
    places = np.arange(len(offsets), dtype=np.uint64) << np.uint64(32)
    placed = distinct(np.repeat(places[:-1], np.diff(offsets)) | hashes)
    return Members(
        np.searchsorted(placed, places).astype(np.int64), placed.astype(np.uint32)
    )


def _matrix(members: Members, places: Ints) -> "csr_array":
    """These sets as rows of ones; a hash is its own column."""
    from scipy.sparse import csr_array

    hashes = members.hashes[_ranges(members.offsets, places)].astype(np.int64)
    offsets = np.concatenate(([0], np.cumsum(members.sizes[places])))
    ones = np.ones(len(hashes), np.int8)
    matrix = csr_array((ones, hashes, offsets), (len(places), 2**32))
    matrix.has_canonical_format = True
    return matrix


def _ranges(offsets: Offsets, places: Ints) -> Ints:
    """All from offsets[place] to offsets[place + 1], for one place after the other."""
    counts = offsets[places + 1] - offsets[places]
    starts = np.cumsum(counts) - counts
    return np.asarray(
        np.arange(counts.sum()) + np.repeat(offsets[places] - starts, counts)
    )


def _joined(parts: list[Members]) -> Members:
    sizes = np.concatenate([np.zeros(1, np.int64), *(part.sizes for part in parts)])
    hashes = [np.empty(0, np.uint32), *(part.hashes for part in parts)]
    return Members(np.cumsum(sizes), np.concatenate(hashes))
