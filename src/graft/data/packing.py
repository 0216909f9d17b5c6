"""Which documents share a sequence: best-fit decreasing."""

from bisect import bisect_left, insort
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]


def pack(lengths: Sequence[int] | Ints, capacity: int) -> list[list[int]]:
    """Fill sequences of `capacity` tokens with whole documents.

    The longest document comes first, and each goes where the least room is left over.
    Documents of one length are placed together, as many as a room of some size takes
    in all sequences that have it, so the work grows with the lengths that differ and
    not with the documents. Equal lengths keep their order: the result depends on the
    lengths alone.

    Args:
        lengths: tokens of each document, 1 to `capacity`. Shape [documents].
        capacity: tokens of a sequence.
    Returns: for each sequence, the positions in `lengths` of its documents.
    Raises: ValueError if a document is empty or longer than `capacity`.
    Source: Johnson 1973, "Near-optimal bin packing algorithms"; O(n log n).
    """
    sizes = np.asarray(lengths, np.int64)
    if not sizes.size:
        return []
    if sizes.min() < 1 or sizes.max() > capacity:
        raise ValueError(f"a document is empty or longer than {capacity} tokens")
    order = np.argsort(-sizes, kind="stable")
    values, counts = np.unique(sizes, return_counts=True)
    rooms = _Rooms(capacity)
    placed = [
        rooms.place(size, count)
        for size, count in zip(values[::-1].tolist(), counts[::-1].tolist())
    ]
    numbers = np.concatenate(placed)  # the sequence of each document in `order`
    together = order[np.argsort(numbers, kind="stable")].tolist()
    ends = np.cumsum(np.bincount(numbers, minlength=rooms.num_packs)).tolist()
    return [together[a:b] for a, b in zip([0, *ends[:-1]], ends, strict=True)]


class _Rooms:
    """Sequences by the tokens that are left in them."""

    def __init__(self, capacity: int) -> None:
        self.num_packs = 0
        self._capacity = capacity
        self._packs: dict[int, list[Ints]] = {}  # tokens left → groups of sequences
        self._sorted: list[int] = []  # the keys of `_packs`

    def place(self, size: int, count: int) -> Ints:
        """The sequence of each of `count` documents of one size. Shape [count]."""
        found: list[Ints] = []
        while count:
            room, packs = self._least(size, count)
            each = room // size
            used = packs[: -(-count // each)]
            self._put(room, packs[len(used) :])
            last = min(count - (len(used) - 1) * each, each)  # in the last of them
            self._put(room - each * size, used[:-1])
            self._put(room - last * size, used[-1:])
            number = (len(used) - 1) * each + last
            found.append(used.repeat(each)[:number])
            count -= number
        return np.concatenate(found)

    def _least(self, size: int, count: int) -> tuple[int, Ints]:
        """Sequences with the least room that takes a document; else new ones."""
        at = bisect_left(self._sorted, size)
        if at == len(self._sorted):
            new = -(-count // (self._capacity // size))
            packs = np.arange(self.num_packs, self.num_packs + new)
            self.num_packs += new
            return self._capacity, packs
        room = self._sorted[at]
        groups = self._packs[room]
        packs = groups.pop()
        if not groups:
            del self._packs[room], self._sorted[at]
        return room, packs

    def _put(self, room: int, packs: Ints) -> None:
        if room and packs.size:
            if room not in self._packs:
                insort(self._sorted, room)
            self._packs.setdefault(room, []).append(packs)


def fill(
    packs: Sequence[Sequence[int]], lengths: Sequence[int], capacity: int
) -> float:
    """Share of the sequences' tokens that are documents', 0 to 1."""
    total = sum(lengths[document] for part in packs for document in part)
    return total / (len(packs) * capacity) if packs else 0.0
