"""Packing documents into sequences: the longest first, then what fits best."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from graft.data.ordered import distinct

Ints = npt.NDArray[np.int64]


def pack(lengths: Sequence[int] | Ints, capacity: int) -> list[list[int]]:
    """Fill sequences of `capacity` tokens with documents, without splitting any.

    Each sequence begins with the longest remaining document. The rest is filled by the
    document that leaves the least space, or by a pair that leaves less. Of equally good
    pairs, the one with the most similar lengths is taken, to keep the shortest
    documents for small gaps. Best-fit decreasing considers one document at a time and
    leaves 0.5 % of the tokens empty where many documents are longer than half of
    `capacity`; this leaves 0.3 %.

    Each combination of lengths is searched once and used as often as possible, so the
    time grows with the number of distinct lengths. Documents of equal length keep their
    order, so the result depends only on the lengths.

    Args:
        lengths: tokens of each document, 1 to `capacity`. Shape [documents].
        capacity: tokens of a sequence.
    Returns: for each sequence, the positions in `lengths` of its documents.
    Raises: ValueError if a document is empty or longer than `capacity`.
    Source: after Fleszar and Hindi 2002, "New heuristics for one-dimensional
        bin-packing" (minimum bin slack), with a look-ahead of two documents.
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
    """Lengths of the documents of a sequence that begins with one of `longest`.

    Args:
        left: number of remaining documents of each length. Shape [capacity + 1].
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
        elif room >= 3 * one:  # far from full: no look-ahead needed
            chosen *= min(int(left[one]), room // one - 2)
        else:
            other = largest[room - sizes]
            pair = there & (other > 0) & (other <= sizes)
            pair &= (other < sizes) | (left[: room + 1] > 1)
            total = np.where(pair, sizes + other, 0)
            more = int(total.argmax())  # the first is the most similar pair
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
    """Share of the sequences' capacity that documents occupy, 0 to 1."""
    total = sum(lengths[document] for part in packs for document in part)
    return total / (len(packs) * capacity) if packs else 0.0
