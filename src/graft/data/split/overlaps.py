"""An index from n-grams to the texts that they stand in, and shares of a text."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from graft.data.ordered import distinct
from graft.data.split.ngrams import Hashes, Ints

Pairs = dict[int, tuple[int, float]]
"""Row → the text that it is most like, and the overlap."""


class Index:
    """Sorted distinct n-grams, the texts of each, and the groups that it was seen in.

    Args:
        keys: ascending. Shape [keys].
        starts: where the texts of each key begin, and the end. Shape [keys + 1].
        texts: shape [postings].
        groups: one of 64 bits is set for each group, by its hash. Shape [keys].
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
        """Those that are known: their places in `hashes`, and the numbers of the keys.

        The table of first bits passes one in 8 to 16 of the others: it is one look into
        memory, where a search of the sorted keys is twenty.
        """
        if self.keys.size == 0:
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        near = np.flatnonzero(self._filter[hashes >> self._shift])
        wanted = hashes[near]
        found = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
        known = self.keys[found] == wanted
        return near[known], found[known]

    def texts_of(self, key: int) -> npt.NDArray[np.int32]:
        """Texts that a key stands in."""
        return self._texts[self._starts[key] : self._starts[key + 1]]

    def add(self, keys: Ints, bits: Hashes) -> None:
        """Keys were seen in further groups. Both of shape [seen]."""
        np.bitwise_or.at(self._groups, keys, bits)

    def weigh(self, max_common: int, num_texts: int) -> None:
        """No group comes any more: keys of more than `max_common` count no longer.

        Of 64 bits n groups set 64 (1 - e^(-n / 64)), as expected (Whang et al. 1990).
        """
        free = 64 - np.bitwise_count(self._groups).astype(np.int64)
        self._rare = 64 * np.log(64 / np.maximum(free, 0.5)) < max_common + 0.5
        counted = np.repeat(self._rare, np.diff(self._starts))
        self._sizes = np.bincount(self._texts[counted], minlength=num_texts)

    @property
    def num_common(self) -> int:
        """Keys that do not count."""
        return int(np.sum(~self._rare))

    def shares(
        self, rows: Ints, keys: Ints
    ) -> tuple[Ints, Ints, npt.NDArray[np.float64]]:
        """Rows and texts that share keys that count, and which share of the text's.

        Args: rows, keys: what stands where; repeated pairs count once. Shape [found].
        Returns: row, text and share, ascending by row and text. Shapes [pairs].
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
    """An index of n-grams and the texts they stand in.

    Args:
        hashes, texts: parts of equal lengths; a pair may stand more than once.
        bits: of each text's group. Shape [texts].
    """
    keys, owners = np.concatenate(hashes), np.concatenate(texts).astype(np.int32)
    order = np.lexsort((owners, keys))
    keys, owners = keys[order], owners[order]
    new_key = np.ones(len(keys), np.bool_)
    new_key[1:] = keys[1:] != keys[:-1]
    new = new_key.copy()
    new[1:] |= owners[1:] != owners[:-1]
    keys, owners, new_key = keys[new], owners[new], new_key[new]
    first = np.flatnonzero(new_key)
    groups = (
        np.bitwise_or.reduceat(bits[owners], first)
        if len(first)
        else np.zeros(0, np.uint64)
    )
    return Index(keys[first], np.append(first, len(keys)), owners, groups)


def best_pairs(index: Index, rows: Ints, keys: Ints, threshold: float) -> Pairs:
    """For each row past the threshold, the text of which it has the greatest share."""
    row, text, share = index.shares(rows, keys)
    past = share >= threshold
    row, text, share = row[past], text[past], share[past]
    found: Pairs = {}
    for at in np.lexsort((text, -share, row)):
        found.setdefault(int(row[at]), (int(text[at]), float(share[at])))
    return found
