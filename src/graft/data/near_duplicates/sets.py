"""The exact comparison of two conversations: by their shingles, lines and numbers."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import polars as pl

from graft.config.near_duplicates import NearDuplicatesConfig
from graft.data.near_duplicates.pairs import Pairs
from graft.data.near_duplicates.shingles import (
    LINE,
    Hashes,
    Keys,
    Offsets,
    mixed,
    odd_numbers,
    to_shingles,
    to_words,
)
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

    def take(self, places: Ints) -> "Members":
        """The sets at these places."""
        offsets = np.concatenate(([0], np.cumsum(self.sizes[places])))
        return Members(offsets, self.hashes[_ranges(self.offsets, places)])

    def united(self, rows: Offsets) -> "Members":
        """One set of those from rows[i] to rows[i + 1]."""
        return _members(self.offsets[rows], self.hashes)

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
    """What is compared of some rows, in about 16 bytes a word."""

    rows: Offsets  # row i has lines rows[i] to rows[i + 1]
    asked: Ints  # how many of these are the prompt's, they come first; [rows]
    wholes: Keys  # the same for equal lines; [lines]
    lines: Members  # shingles of each line
    exact: Members  # numbers of each line
    shingles: Members  # of each row
    numbers: Members  # of each row

    def take(self, lines: Ints, counts: Ints) -> "Sets":
        """Rows of so many of these lines each; none of them is a prompt's."""
        rows = np.concatenate(([0], np.cumsum(counts)))
        asked = np.zeros(len(counts), np.int64)
        chosen = self.lines.take(lines), self.exact.take(lines)
        return _to_sets(rows, asked, self.wholes[lines], *chosen)


def to_sets(said: pl.DataFrame, config: NearDuplicatesConfig) -> Sets:
    """The sets of a batch of conversations, those of candidates only.

    Args:
        said: columns prompt (null or empty: there is none) and answer.
        config: how many words a shingle has.
    """
    empty = pl.col("prompt").fill_null("").str.contains(r"\S").not_()
    prompt = pl.when(~empty).then("prompt")
    both = said.select(
        text=pl.concat_str(prompt, "answer", separator="\n", ignore_nulls=True),
        asked=prompt.fill_null("").str.count_matches(LINE),
    )
    words = to_words(both["text"])
    lines, hashes = to_shingles(words, config.shingle)
    exact = np.concatenate(([0], np.cumsum(words.exact)))[words.lines]
    # What is answered is compared in any case: a row's last line.
    asked = np.minimum(both["asked"].to_numpy(), np.diff(words.rows) - 1)
    wholes = np.zeros(0, np.uint64)
    if len(hashes):
        wholes = np.add.reduceat(mixed(hashes.astype(np.uint64)), lines[:-1])
    return _to_sets(
        words.rows,
        asked.astype(np.int64),
        wholes,
        _members(lines, hashes),
        _members(exact, words.hashes[words.exact].astype(np.uint32)),
    )


def join_sets(parts: list[Sets]) -> Sets:
    """The rows of all parts, in their order."""
    sizes = [np.zeros(1, np.int64), *(np.diff(part.rows) for part in parts)]
    return Sets(
        np.cumsum(np.concatenate(sizes)),
        np.concatenate([np.empty(0, np.int64), *(part.asked for part in parts)]),
        np.concatenate([np.empty(0, np.uint64), *(part.wholes for part in parts)]),
        _joined([part.lines for part in parts]),
        _joined([part.exact for part in parts]),
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

    They must hold for the whole, and for what remains without the lines that both
    prompts have: a passage, a long instruction, the same first turns. A copy that lost
    or gained a sentence, a line or a number is still a copy.

    Args:
        pairs: places in `sets`. Shape [pairs, 2].
        sets: of the rows that are compared.
        config: threshold and max_replaced.
    """
    near = _are_alike(pairs, sets, config)
    left = np.flatnonzero(near)
    framed, own = _without_shared(pairs[left], sets)
    places = np.arange(2 * len(framed)).reshape(-1, 2)
    near[left[framed]] = _are_alike(places, own, config)
    return near


def _are_alike(pairs: Pairs, sets: Sets, config: NearDuplicatesConfig) -> Flags:
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


def _without_shared(pairs: Pairs, sets: Sets) -> tuple[Ints, Sets]:
    """Which pairs have lines in both prompts, and the sets of their other lines: two
    rows a pair, one after the other."""
    rows = pairs.reshape(-1)
    counts = np.diff(sets.rows)[rows]
    lines = _ranges(sets.rows, rows)
    row = np.repeat(np.arange(len(rows)), counts)
    asked = lines - sets.rows[rows][row] < sets.asked[rows][row]
    salt = (row // 2).astype(np.uint64) * odd_numbers(1, seed=2)
    keys = mixed(sets.wholes[lines] + salt)
    first = row % 2 == 0
    shared = np.zeros(len(lines), bool)
    for mine, its in ((first, ~first), (~first, first)):
        shared[mine & asked] = np.isin(keys[mine & asked], keys[its & asked])
    framed = np.unique(row[shared] // 2)
    kept = ~shared & np.isin(row // 2, framed)
    number = np.searchsorted(framed, row[kept] // 2) * 2 + row[kept] % 2
    own = sets.take(lines[kept], np.bincount(number, minlength=2 * len(framed)))
    return framed, own


def _has_own_line(sets: Sets, rows: Ints, others: Ints) -> Flags:
    """Whether a row has a line of which the other row has less than half."""
    if rows.size == 0:
        return np.zeros(0, bool)
    counts = np.diff(sets.rows)[rows]
    lines = _ranges(sets.rows, rows)
    shared = sets.lines.common(sets.shingles, lines, np.repeat(others, counts))
    own = 2 * shared < sets.lines.sizes[lines]
    return np.asarray(np.logical_or.reduceat(own, np.cumsum(counts) - counts))


def _to_sets(
    rows: Offsets, asked: Ints, wholes: Keys, lines: Members, exact: Members
) -> Sets:
    return Sets(
        rows, asked, wholes, lines, exact, lines.united(rows), exact.united(rows)
    )


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

    chosen = members.take(places)
    hashes = chosen.hashes.astype(np.int64)
    ones = np.ones(len(hashes), np.int8)
    matrix = csr_array((ones, hashes, chosen.offsets), (len(places), 2**32))
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
