"""Memory of generation: unpacked weights, slots of keys and values, activations."""

from dataclasses import dataclass
from typing import Literal

Weights = Literal["auto", "packed", "dense"]
HEADROOM = 0.95
"""Share of the free memory that is planned; allocators lose some to fragments."""


@dataclass(frozen=True)
class GenerationShape:
    """Sizes that memory depends on, in bytes unless said otherwise.

    Args:
        dense: of the 4-bit weights once unpacked; 0 for a model that has none.
        slot_token: of keys and values of one token.
        token: of the activations of one token while it passes a layer.
        logits: of one row's logits and what choosing a token adds.
        fixed: of the libraries' workspaces and of CUDA graphs.
    """

    dense: int
    slot_token: int
    token: int
    logits: int
    fixed: int = 0

    def working(self, tokens_at_once: int) -> int:
        """Of everything but weights and slots."""
        return self.fixed + tokens_at_once * self.token


@dataclass(frozen=True)
class GenerationMemory:
    """What fits.

    Args:
        is_dense: whether 4-bit weights are unpacked.
        num_slots: rows at once; at least one, even if that does not fit.
        bytes: all that is allocated at the peak, beside the loaded model.
    """

    is_dense: bool
    num_slots: int
    bytes: int


def plan_generation(
    shape: GenerationShape,
    *,
    free: int,
    num_slots: int,
    length: int,
    tokens_at_once: int,
    weights: Weights = "auto",
) -> GenerationMemory:
    """How many slots fit, and whether unpacked weights fit beside them.

    With `auto`, weights are unpacked if at least half as many slots fit as without, or
    as many as are wanted.

    Args:
        shape: sizes of the model.
        free: bytes.
        num_slots: rows at once, at most.
        length: tokens that a slot holds.
        tokens_at_once: prompt tokens that enter at once.
        weights: whether 4-bit weights are unpacked.
    """

    def fit(dense: int) -> int:
        rest = HEADROOM * free - dense - shape.working(tokens_at_once)
        return min(num_slots, int(rest // (length * shape.slot_token + shape.logits)))

    is_dense = weights == "dense"
    if weights == "auto":
        is_dense = fit(shape.dense) >= max(1, min(num_slots, fit(0) // 2))
    dense = shape.dense if is_dense else 0
    slots = max(1, fit(dense))
    per_slot = length * shape.slot_token + shape.logits
    total = dense + slots * per_slot + shape.working(tokens_at_once)
    return GenerationMemory(is_dense, slots, total)
