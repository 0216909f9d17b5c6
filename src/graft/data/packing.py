"""Which documents share a sequence: best-fit decreasing."""

from bisect import bisect_left, insort
from collections.abc import Sequence


def pack(lengths: Sequence[int], capacity: int) -> list[list[int]]:
    """Fill sequences of `capacity` tokens with whole documents.

    The longest document comes first, and each goes where the least room is left over.
    Equal lengths keep their order, so the result depends on the lengths alone.

    Args:
        lengths: tokens of each document, 1 to `capacity`. Shape [documents].
        capacity: tokens of a sequence.
    Returns: for each sequence, the positions in `lengths` of its documents.
    Raises: ValueError if a document is empty or longer than `capacity`.
    Source: Johnson 1973, "Near-optimal bin packing algorithms"; O(n log n).
    """
    if any(not 0 < length <= capacity for length in lengths):
        raise ValueError(f"a document is empty or longer than {capacity} tokens")
    packs: list[list[int]] = []
    with_room: dict[int, list[int]] = {}  # tokens left → packs with just that
    rooms: list[int] = []  # the keys of `with_room`, sorted
    for document in sorted(range(len(lengths)), key=lambda i: (-lengths[i], i)):
        at = bisect_left(rooms, lengths[document])
        if at == len(rooms):
            room, number = capacity, len(packs)
            packs.append([])
        else:
            room = rooms[at]
            number = with_room[room].pop()
            if not with_room[room]:
                del with_room[room], rooms[at]
        packs[number].append(document)
        room -= lengths[document]
        if room:
            if room not in with_room:
                insort(rooms, room)
            with_room.setdefault(room, []).append(number)
    return packs


def fill(
    packs: Sequence[Sequence[int]], lengths: Sequence[int], capacity: int
) -> float:
    """Share of the sequences' tokens that are documents', 0 to 1."""
    total = sum(lengths[document] for part in packs for document in part)
    return total / (len(packs) * capacity) if packs else 0.0
