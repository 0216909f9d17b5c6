"""Copying between slots of keys and values, with Triton."""

# pylint: disable=invalid-name  # Triton's convention for constants

import triton
import triton.language as tl
from torch import Tensor

_BLOCK = 4096


def copy(memory: Tensor, copies: Tensor) -> None:
    """Copy the first tokens of slots to other slots. No slot may be source and target.

    Args:
        memory: keys and values, contiguous. Shape [layers, 2, slots, length, key heads,
            head size].
        copies: source, target and number of tokens of each copy. Shape [3, copies].
    """
    layers, parts, slots, length, heads, size = memory.shape
    token, num = heads * size, copies.shape[1]
    # Not blocking: the host does not wait for the step before.
    copies = copies.to(memory.device, non_blocking=True).contiguous()
    grid = (triton.cdiv(length * token, _BLOCK), num, layers * parts)
    _copy[grid](memory, copies, num, slots, length, token, _BLOCK)


@triton.jit
def _copy(memory_at, copies_at, num, slots, length, token, BLOCK: tl.constexpr):
    number = tl.program_id(1)
    source = tl.load(copies_at + number)
    target = tl.load(copies_at + num + number)
    place = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    here = place < tl.load(copies_at + 2 * num + number) * token
    size = length.to(tl.int64) * token
    part = memory_at + tl.program_id(2) * slots * size
    values = tl.load(part + source * size + place, here)
    tl.store(part + target * size + place, values, here)
