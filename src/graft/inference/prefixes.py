"""Prompts that begin like others: their common beginning is computed once.

Its keys and values depend on its tokens and on the adapter alone, so that the others
read them, and compute their own rest.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple

import torch
from torch import Tensor

from graft.inference.layouts import Packed, PackedKeys

LEAST = 32
"""Tokens of a common beginning; a shorter one saves too little."""
MOST_COMPARED = 4
"""Prompts with the same first tokens that a new one is compared with."""


class Prompt(NamedTuple):
    """A prompt, and the adapter that computes it."""

    adapter: str | None
    ids: Sequence[int]


class Shared(NamedTuple):
    """The first tokens of a prompt are those of a slot."""

    slot: int
    num_tokens: int


NOTHING = Shared(0, 0)


@dataclass(frozen=True)
class PromptPlan:
    """How prompts fill slots.

    Args:
        packed: the layout of the tokens that are computed.
        ids: these tokens, of each prompt that is computed.
        rows: numbers of these prompts.
        copies: then, in two rounds, the slots from which tokens are copied, their
            targets, and the number of tokens. Shape [3, copies] each.
        order: of each prompt, its place in `rows`, or that of an equal one.
    """

    packed: Packed
    ids: Sequence[Sequence[int]]
    rows: Sequence[int]
    copies: Sequence[Tensor]
    order: Sequence[int]


def plan_prompts(
    held: Sequence[Prompt], new: Sequence[Prompt], device: Any
) -> PromptPlan:
    """Fill the slots after the held ones. Equal prompts with one adapter are computed
    once; so is a long common beginning.

    Args:
        held: prompts of the slots from 0 on.
        new: prompts of the next slots.
    """
    first, computed = len(held), dict[Any, int]()
    sources = [
        computed.setdefault((prompt.adapter, tuple(prompt.ids)), row)
        for row, prompt in enumerate(new)
    ]
    rows = list(computed.values())
    own, slots = [new[row] for row in rows], [first + row for row in rows]
    shared = find_shared(held, own, slots)
    lengths = [len(prompt.ids) for prompt in own]
    begun = [
        (part.slot, to, part.num_tokens)
        for to, part in zip(slots, shared)
        if part.num_tokens
    ]
    equal = [
        (first + source, first + row, len(new[row].ids))
        for row, source in enumerate(sources)
        if source != row
    ]
    return PromptPlan(
        lay_out(lengths, slots, device, shared),
        [prompt.ids[part.num_tokens :] for prompt, part in zip(own, shared)],
        rows,
        [torch.tensor(copies).T for copies in (begun, equal) if copies],
        [rows.index(source) for source in sources],
    )


def find_shared(
    held: Sequence[Prompt], new: Sequence[Prompt], slots: Sequence[int]
) -> list[Shared]:
    """What each new prompt shares with a held one, or with one of the new ones that
    shares nothing. At least one token of each is its own.

    Args:
        held: of the slots from 0 on.
        slots: of the new prompts.
    """
    places: dict[Any, list[int]] = defaultdict(list)
    known = dict(enumerate(held))
    for slot, prompt in known.items():
        places[_key(prompt)].append(slot)
    found = []
    for slot, prompt in zip(slots, new, strict=True):
        best = NOTHING
        for other in islice(places[_key(prompt)], MOST_COMPARED):
            size = _num_common(known[other].ids, prompt.ids[:-1])
            best = max(best, Shared(other, size), key=lambda one: one.num_tokens)
        if best.num_tokens < LEAST:
            best = NOTHING
            known[slot] = prompt
            places[_key(prompt)].append(slot)
        found.append(best)
    return found


def _key(prompt: Prompt) -> Any:
    return prompt.adapter, tuple(prompt.ids[:LEAST])


def _num_common(one: Sequence[int], other: Sequence[int]) -> int:
    """Tokens with which both begin."""
    pairs = enumerate(zip(one, other))
    return next((n for n, (a, b) in pairs if a != b), min(len(one), len(other)))


def lay_out(
    lengths: Sequence[int],
    slots: Sequence[int],
    device: Any,
    shared: Sequence[Shared] = (),
) -> Packed:
    """Prompts of these lengths in these slots, without the tokens that are shared.

    Args:
        shared: of each prompt; none: nothing is shared.
    """
    skipped = [one.num_tokens for one in shared] or [0] * len(lengths)
    own = [length - skip for length, skip in zip(lengths, skipped, strict=True)]
    starts, places, positions = _spans(own, slots)
    positions += torch.tensor(skipped).repeat_interleave(torch.tensor(own))
    keys = None
    if any(skipped):
        key_starts, key_slots, key_positions = _spans(lengths, slots)
        source = [one.slot for one in shared]
        each = torch.tensor([source, skipped]).repeat_interleave(
            torch.tensor(lengths), dim=1
        )
        key_slots = torch.where(key_positions < each[1], each[0], key_slots)
        keys = PackedKeys(
            key_slots.to(device),
            key_positions.to(device),
            key_starts.to(device, torch.int32),
            max(lengths),
        )
    return Packed(
        places.to(device),
        positions.to(device),
        starts.to(device, torch.int32),
        max(own),
        keys,
    )


def _spans(lengths: Sequence[int], slots: Sequence[int]) -> tuple[Any, Any, Any]:
    """Cumulative lengths, and the slot and position of each token."""
    counts = torch.tensor(lengths)
    starts = torch.cat([counts.new_zeros(1), counts.cumsum(0)])
    positions = torch.arange(int(starts[-1])) - starts[:-1].repeat_interleave(counts)
    return starts, torch.tensor(slots).repeat_interleave(counts), positions
