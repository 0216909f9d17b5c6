"""Moving rows between slots of keys and values, with Triton."""

# pylint: disable=invalid-name  # Triton's convention for constants

import triton
import triton.language as tl
from torch import Tensor

_BLOCK = 4096


def move(memory: Tensor, lengths: Tensor, pairs: Tensor) -> None:
    """Copy what slots hold to other slots. No slot may be source and target.

    Args:
        memory: keys and values, contiguous. Shape [layers, 2, slots, length, key heads,
            head size].
        lengths: tokens of each slot. Shape [slots].
        pairs: sources and targets. Shape [2, moves].
    """
    layers, parts, slots, length, heads, size = memory.shape
    token = heads * size
    num = pairs.shape[1]
    grid = (triton.cdiv(length * token, _BLOCK), num, layers * parts)
    _move[grid](memory, lengths, pairs, num, slots, length, token, _BLOCK)


@triton.jit
def _move(
    memory_at, lengths_at, pairs_at, num, slots, length, token, BLOCK: tl.constexpr
):
    pair = tl.program_id(1)
    source = tl.load(pairs_at + pair)
    target = tl.load(pairs_at + num + pair)
    place = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    here = place < tl.load(lengths_at + source) * token
    size = length.to(tl.int64) * token
    part = memory_at + tl.program_id(2) * slots * size
    tl.store(
        part + target * size + place, tl.load(part + source * size + place, here), here
    )
