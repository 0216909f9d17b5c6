"""How the tokens of one step lie in a tensor, and where their keys are stored."""

from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class Packed:
    """Whole sequences, one after the other, without padding.

    Args:
        slots, positions: where the keys of each token are stored. Shape [tokens].
        starts: int32, cumulative lengths with a leading 0. Shape [sequences + 1].
        longest: tokens of the longest sequence.
    """

    slots: Tensor
    positions: Tensor
    starts: Tensor
    longest: int


@dataclass(frozen=True)
class OneEach:
    """One new token in each of the first slots.

    Args:
        slots: 0, 1, … Shape [rows].
        positions: of the new tokens. Shape [rows].
        longest: no row attends to more tokens than so many.
    """

    slots: Tensor
    positions: Tensor
    longest: int


@dataclass(frozen=True)
class Step:
    """What the model computes at the moment.

    Args:
        layout: of its tokens.
        memory: keys and values of all slots; None: nothing is stored. Shape [layers, 2,
            slots, length, key heads, head size].
    """

    layout: Packed | OneEach
    memory: Tensor | None


STEP: ContextVar[Step] = ContextVar("step")
"""Of this thread. Not an argument, since some families pass none on."""


def lay_out(lengths: Sequence[int], slots: Sequence[int], device: Any) -> Packed:
    """Prompts of these lengths in these slots."""
    counts = torch.tensor(lengths)
    starts = torch.cat([counts.new_zeros(1), counts.cumsum(0)])
    positions = torch.arange(int(starts[-1])) - starts[:-1].repeat_interleave(counts)
    places = torch.tensor(slots).repeat_interleave(counts)
    return Packed(
        places.to(device),
        positions.to(device),
        starts.to(device, torch.int32),
        max(lengths),
    )
