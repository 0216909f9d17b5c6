"""Many sets of hashes in two flat arrays, and the sizes of their intersections."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from graft.data.ordered import distinct
from graft.data.preprocess.near_duplicates.shingles import Hashes, Offsets

if TYPE_CHECKING:
    from scipy.sparse import csr_array

_BLOCK = 4_000_000  # set members compared at a time: 100 MB
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class HashSets:
    """Sets of 32-bit hashes: offsets [sets + 1], sorted hashes [members]."""

    offsets: Offsets
    hashes: Hashes

    @property
    def sizes(self) -> Ints:
        """Number of hashes in each set. Shape [sets]."""
        return np.diff(self.offsets)

    def take(self, places: Ints) -> "HashSets":
        """The sets at these indices."""
        offsets = np.concatenate(([0], np.cumsum(self.sizes[places])))
        return HashSets(offsets, self.hashes[ranges(self.offsets, places)])

    def united(self, rows: Offsets) -> "HashSets":
        """For each row i, the union of the sets rows[i] to rows[i + 1]."""
        return to_hash_sets(self.offsets[rows], self.hashes)

    def common(self, other: "HashSets", mine: Ints, its: Ints) -> Ints:
        """Size of the intersection of each pair of sets: indices `mine` into these
        sets and `its` into the others. All of shape [pairs]."""
        blocks = to_blocks(self.sizes[mine] + other.sizes[its])
        pairs = ((_matrix(self, mine[at]), _matrix(other, its[at])) for at in blocks)
        return np.concatenate([np.diff((one * two).indptr) for one, two in pairs])

    def have(self, sets: Ints, hashes: Hashes) -> Flags:
        """Whether each hash is in the set of that index. Shape [hashes]."""
        number = np.arange(len(self.sizes), dtype=np.uint64) << np.uint64(32)
        held = np.repeat(number, self.sizes) | self.hashes
        wanted = number[sets] | hashes
        at = np.minimum(np.searchsorted(held, wanted), max(len(held) - 1, 0))
        return np.asarray(held[at] == wanted)


def to_hash_sets(offsets: Offsets, hashes: Hashes) -> HashSets:
    """Sets from hashes that may repeat, in any order."""
    places = np.arange(len(offsets), dtype=np.uint64) << np.uint64(32)
    placed = distinct(np.repeat(places[:-1], np.diff(offsets)) | hashes)
    return HashSets(
        np.searchsorted(placed, places).astype(np.int64), placed.astype(np.uint32)
    )


def join_hash_sets(parts: list[HashSets]) -> HashSets:
    """The sets of all parts, in their order."""
    sizes = np.concatenate([np.zeros(1, np.int64), *(part.sizes for part in parts)])
    hashes = [np.empty(0, np.uint32), *(part.hashes for part in parts)]
    return HashSets(np.cumsum(sizes), np.concatenate(hashes))


def to_blocks(sizes: Ints) -> list[Ints]:
    """Indices in runs whose sizes add up to about a block."""
    ends = np.cumsum(sizes) // _BLOCK
    return np.split(np.arange(len(sizes)), np.flatnonzero(np.diff(ends)) + 1)


def ranges(offsets: Offsets, places: Ints) -> Ints:
    """The ranges offsets[i] to offsets[i + 1] of each place i, concatenated."""
    counts = offsets[places + 1] - offsets[places]
    starts = np.cumsum(counts) - counts
    return np.asarray(
        np.arange(counts.sum()) + np.repeat(offsets[places] - starts, counts)
    )


def _matrix(members: HashSets, places: Ints) -> "csr_array":
    """A sparse matrix with a row per set, and a one in the column of each hash."""
    from scipy.sparse import csr_array

    chosen = members.take(places)
    hashes = chosen.hashes.astype(np.int64)
    ones = np.ones(len(hashes), np.int8)
    matrix = csr_array((ones, hashes, chosen.offsets), (len(places), 2**32))
    matrix.has_canonical_format = True
    return matrix
