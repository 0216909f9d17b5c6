"""Rotary positions of queries and keys, and storing keys and values.

Source: Su et al. 2021, arXiv:2104.09864; halves are rotated as in transformers 5.
"""

# pylint: disable=invalid-name  # Triton's convention for constants

import triton
import triton.language as tl
from torch import Tensor

from graft.kernels.adapted.low_rank import LowRank
from graft.kernels.adapted.products import (
    arguments,
    is_masked,
    low_rank,
    ranks_at_once,
    rows_at_once,
)


def rotate_and_store(
    qkv: Tensor,
    cos: Tensor,
    sin: Tensor,
    num_heads: tuple[int, int],
    added: LowRank | None,
    own: Tensor | None,
    slots: Tensor,
    positions: Tensor,
) -> None:
    """Rotate queries and keys of qkv + added in place, and store keys and values.

    Args:
        qkv: queries, keys and values. Shape [tokens, all heads × head size].
        cos, sin: shape [tokens, head size]; both halves are equal.
        num_heads: of queries, and of keys.
        own: keys and values of all slots; None: nothing is stored. Shape [2, slots,
            length, key heads, head size].
        slots, positions: where the keys of each token are stored. Shape [tokens].
    """
    num, size = cos.shape
    queries, keys = num_heads
    if added is not None and size < 32:  # too narrow for Triton's products
        added.add_(qkv)
        added = None
    rows = rows_at_once(num)
    stored = qkv if own is None else own
    strides = (0, 0, 0, 0) if own is None else own.stride()[:4]
    _rotate[(triton.cdiv(num, rows), queries + 2 * keys)](
        qkv, qkv.stride(0), *arguments(added, qkv), cos, sin,
        stored, *strides, slots, positions, num, queries, keys,
        MASKED=is_masked(added), STORED=own is not None,
        ROWS=rows, HALF=size // 2, RANKS=ranks_at_once(added),
    )  # fmt: skip


@triton.jit
def _rotate(
    qkv_at, stride, inner_at, inner_stride, up_at, up_stride, off_at, num_ranks,
    cos_at, sin_at, own_at, own_part, own_slot, own_token, own_head,
    slots_at, positions_at, num, num_queries, num_keys,
    MASKED: tl.constexpr, STORED: tl.constexpr,
    ROWS: tl.constexpr, HALF: tl.constexpr, RANKS: tl.constexpr,
):  # fmt: skip
    row = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    head = tl.program_id(1)
    place = tl.arange(0, HALF)
    here, there = row < num, place < HALF
    inside = here[:, None] & there[None, :]
    first = head * 2 * HALF
    at = qkv_at + row[:, None] * stride + first + place[None, :]
    one = tl.load(at, inside, 0.0).to(tl.float32)
    other = tl.load(at + HALF, inside, 0.0).to(tl.float32)
    if num_ranks > 0:
        one += low_rank(
            inner_at, inner_stride, up_at + first, up_stride, off_at, num_ranks,
            row, here, place, there, MASKED, ROWS, HALF, RANKS,
        )  # fmt: skip
        other += low_rank(
            inner_at, inner_stride, up_at + first + HALF, up_stride, off_at, num_ranks,
            row, here, place, there, MASKED, ROWS, HALF, RANKS,
        )  # fmt: skip
    if head < num_queries + num_keys:
        angle = row[:, None] * 2 * HALF + place[None, :]
        cos = tl.load(cos_at + angle, inside, 0.0).to(tl.float32)
        sin = tl.load(sin_at + angle, inside, 0.0).to(tl.float32)
        rotated = one * cos - other * sin
        other = other * cos + one * sin
        one = rotated
    tl.store(at, one, inside)
    tl.store(at + HALF, other, inside)
    if STORED:
        if head >= num_queries:
            part = (head >= num_queries + num_keys).to(tl.int64)
            number = head - num_queries - part * num_keys
            slot = tl.load(slots_at + row, here, 0).to(tl.int64)
            token = tl.load(positions_at + row, here, 0).to(tl.int64)
            to = own_at + part * own_part + number * own_head
            to += (slot * own_slot + token * own_token)[:, None] + place[None, :]
            tl.store(to, one, inside)
            tl.store(to + HALF, other, inside)
