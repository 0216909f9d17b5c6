"""An index from n-grams to the texts that contain them, and overlaps with texts."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from graft.data.ordered import are_new, distinct
from graft.data.split.ngrams import Hashes, Ints

Pairs = dict[int, tuple[int, float]]
"""Row → the text with the largest overlap, and that overlap, 0 to 1."""


class Index:
    """An inverted index of distinct n-grams, with the groups in which each was seen.

    Args:
        keys: hashes of the n-grams, ascending. Shape [keys].
        starts: offsets into `texts` of each key, and the end. Shape [keys + 1].
        texts: indices of texts. Shape [postings].
        groups: a bit set of 64 bits; each group sets one, by its hash. Shape [keys].
    """

    def __init__(
        self, keys: Hashes, starts: Ints, texts: npt.NDArray[np.int32], groups: Hashes
    ) -> None:
        self.keys, self._starts, self._texts = keys, starts, texts
        self._groups = groups
        bits = max(len(keys), 1).bit_length() + 3
        self._shift = np.uint64(64 - bits)
        self._filter = np.zeros(2**bits, np.bool_)
        self._filter[keys >> self._shift] = True
        self._rare = np.ones(len(keys), np.bool_)
        self._sizes = np.zeros(0, np.int64)

    def find(self, hashes: Hashes) -> tuple[Ints, Ints]:
        """Positions in `hashes` of those in the index, and the indices of their keys.

        A table of leading bits first removes all but one in 8 to 16 of the others: it
        costs one memory access, a search of the sorted keys about twenty.
        """
        if self.keys.size == 0:
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        near = np.flatnonzero(self._filter[hashes >> self._shift])
        wanted = hashes[near]
        found = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
        known = self.keys[found] == wanted
        return near[known], found[known]

    def texts_of(self, key: int) -> npt.NDArray[np.int32]:
        """Texts that contain a key."""
        return self._texts[self._starts[key] : self._starts[key + 1]]

    def add(self, keys: Ints, bits: Hashes) -> None:
        """Add groups in which keys were seen. Both of shape [seen]."""
        np.bitwise_or.at(self._groups, keys, bits)

    def weigh(self, max_common: int, num_texts: int) -> None:
        """Exclude keys of more than `max_common` groups, after all groups are added.

        n groups set 64 (1 - e^(-n / 64)) of 64 bits in expectation (Whang et al. 1990).
        """
        free = 64 - np.bitwise_count(self._groups).astype(np.int64)
        self._rare = 64 * np.log(64 / np.maximum(free, 0.5)) < max_common + 0.5
        counted = np.repeat(self._rare, np.diff(self._starts))
        self._sizes = np.bincount(self._texts[counted], minlength=num_texts)

    @property
    def num_common(self) -> int:
        """Number of keys that are excluded."""
        return int(np.sum(~self._rare))

    def shares(
        self, rows: Ints, keys: Ints
    ) -> tuple[Ints, Ints, npt.NDArray[np.float64]]:
        """The overlap of each row with each text, over the keys that are not excluded.

        Args: rows, keys: occurrences; repeated pairs count once. Shape [found].
        Returns: row, text, and share of the text's keys, ascending by row and text.
            Shapes [pairs].
        """
        rare = self._rare[keys]
        pairs = distinct(rows[rare] * len(self.keys) + keys[rare])
        rows, keys = np.divmod(pairs, max(len(self.keys), 1))
        counts = self._starts[keys + 1] - self._starts[keys]
        within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        texts = self._texts[np.repeat(self._starts[keys], counts) + within]
        size = max(len(self._sizes), 1)
        both, shared = np.unique(
            np.repeat(rows, counts) * size + texts, return_counts=True
        )
        rows, found = np.divmod(both, size)
        return rows, found, shared / self._sizes[found]


def to_index(hashes: Sequence[Hashes], texts: Sequence[Ints], bits: Hashes) -> Index:
    """Build the index.

    Args:
        hashes, texts: n-grams and their texts, in parts; pairs may repeat.
        bits: the bit of each text's group. Shape [texts].
    """
    keys, owners = np.concatenate(hashes), np.concatenate(texts).astype(np.int32)
    order = np.lexsort((owners, keys))
    keys, owners = keys[order], owners[order]
    new_key = are_new(keys)
    new = new_key | are_new(owners)
    keys, owners, new_key = keys[new], owners[new], new_key[new]
    first = np.flatnonzero(new_key)
    groups = (
        np.bitwise_or.reduceat(bits[owners], first)
        if len(first)
        else np.zeros(0, np.uint64)
    )
    return Index(keys[first], np.append(first, len(keys)), owners, groups)


def best_pairs(index: Index, rows: Ints, keys: Ints, threshold: float) -> Pairs:
    """For each row past the threshold, the text with the largest overlap."""
    row, text, share = index.shares(rows, keys)
    past = share >= threshold
    row, text, share = row[past], text[past], share[past]
    found: Pairs = {}
    for at in np.lexsort((text, -share, row)):
        found.setdefault(int(row[at]), (int(text[at]), float(share[at])))
    return found
