"""How the tokens of one step lie in a tensor, and where their keys are stored."""

from contextvars import ContextVar
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class PackedKeys:
    """The keys of sequences, one after the other.

    Args:
        slots, positions: where each is stored. Shape [keys].
        starts: int32, cumulative lengths with a leading 0. Shape [sequences + 1].
        longest: of one sequence.
    """

    slots: Tensor
    positions: Tensor
    starts: Tensor
    longest: int


@dataclass(frozen=True)
class Packed(PackedKeys):
    """Sequences, one after the other, without padding; each token stores its key.

    Args:
        keys: of the whole sequences, if these are their ends; None: they are whole.
    """

    keys: PackedKeys | None = None


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
