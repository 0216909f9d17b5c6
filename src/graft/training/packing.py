"""Which documents share a sequence: the longest first, then what fits it best."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from graft.data.ordered import distinct

Ints = npt.NDArray[np.int64]


def pack(lengths: Sequence[int] | Ints, capacity: int) -> list[list[int]]:
    """Fill sequences of `capacity` tokens with whole documents.

    Each sequence begins with the longest document left. The rest is filled by the one
    document that leaves the least room, or by the two that leave less. Of such pairs
    the most alike is taken, as the shortest documents are wanted where nothing else
    fits. Best-fit decreasing looks at one document at a time and leaves 0.5 % of the
    tokens empty where many are over half of `capacity`; this leaves 0.3 %.

    Documents of one length are the same to it, so a combination is looked for once and
    used as often as its lengths are there: the time grows with the lengths that differ.
    Equal lengths keep their order, so the result depends on the lengths alone.

    Args:
        lengths: tokens of each document, 1 to `capacity`. Shape [documents].
        capacity: tokens of a sequence.
    Returns: for each sequence, the positions in `lengths` of its documents.
    Raises: ValueError if a document is empty or longer than `capacity`.
    Source: after Fleszar and Hindi 2002, "New heuristics for one-dimensional
        bin-packing" (minimum bin slack), with two documents of look-ahead.
    """
    sizes = np.asarray(lengths, np.int64)
    if not sizes.size:
        return []
    if sizes.min() < 1 or sizes.max() > capacity:
        raise ValueError(f"a document is empty or longer than {capacity} tokens")
    left = np.bincount(sizes, minlength=capacity + 1)
    order = np.argsort(sizes, kind="stable")
    starts = (np.cumsum(left) - left).tolist()  # of each length in `order`
    packs: list[list[int]] = []
    for longest in distinct(sizes)[::-1].tolist():
        while left[longest]:
            together = Counter(_combine(left, longest, capacity))
            times = min(int(left[size]) // need for size, need in together.items())
            columns = []
            for size, need in together.items():
                first = starts[size]
                taken = order[first : first + times * need]
                columns.append(taken.reshape(times, need))
                starts[size] += times * need
                left[size] -= times * need
            packs += np.concatenate(columns, axis=1).tolist()
    return packs


def _combine(left: Ints, longest: int, capacity: int) -> list[int]:
    """Lengths that share a sequence with one of `longest`, that one first.

    Args:
        left: documents of each length. Shape [capacity + 1].
    """
    left = left.copy()
    left[longest] -= 1
    found, room = [longest], capacity - longest
    while room:
        sizes = np.arange(room + 1)
        there = left[: room + 1] > 0
        largest = np.maximum.accumulate(np.where(there, sizes, 0))  # up to each length
        one = int(largest[room])
        if not one:
            break
        chosen = [one]
        if one == room:
            pass
        elif room >= 3 * one:  # far from full: no need to look ahead
            chosen *= min(int(left[one]), room // one - 2)
        else:
            other = largest[room - sizes]
            pair = there & (other > 0) & (other <= sizes)
            pair &= (other < sizes) | (left[: room + 1] > 1)
            total = np.where(pair, sizes + other, 0)
            more = int(total.argmax())  # the first: the most alike of the best
            if total[more] > one:
                chosen = [more, int(other[more])]
        for size in chosen:
            left[size] -= 1
        found += chosen
        room -= sum(chosen)
    return found


def packing_efficiency(
    packs: Sequence[Sequence[int]], lengths: Sequence[int], capacity: int
) -> float:
    """Share of the sequences' tokens that are documents', 0 to 1."""
    total = sum(lengths[document] for part in packs for document in part)
    return total / (len(packs) * capacity) if packs else 0.0
