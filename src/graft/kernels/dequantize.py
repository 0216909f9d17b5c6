"""Dequantizing 4-bit weights of bitsandbytes 0.50, with an adapter added.

Source: Dettmers et al. 2023, arXiv:2305.14314 (NF4, double quantization)."""

# pylint: disable=invalid-name  # Triton's convention for constants

from typing import Any

import triton
import triton.language as tl
from torch import Tensor


def dequantize_(
    out: Tensor,
    packed: Tensor,
    state: Any,
    up: Tensor | None = None,
    down: Tensor | None = None,
) -> None:
    """Dequantize 4-bit weights into `out`, [out features, in], and add `up` × `down`
    before rounding. Shapes [out features, rank] and [rank, in].

    A byte holds two weights, the first in the high bits. Each block of
    `state.blocksize` weights shares a scale. With double quantization the scale is a
    byte too: an entry of `state2.code` times the scale of its own block, plus
    `state.offset`.
    """
    nested = state.nested
    inner = state.state2 if nested else state
    num_rows, num_columns = out.shape
    rank = 0 if up is None else up.shape[1]
    grid = (triton.cdiv(num_rows, 32), triton.cdiv(num_columns, 256))
    _dequantize[grid](
        out,
        packed,
        state.absmax,
        state.code,
        inner.code,
        inner.absmax,
        state.offset if nested else inner.absmax,
        out if up is None else up,
        out if down is None else down,
        num_rows,
        num_columns,
        rank,
        BLOCK=state.blocksize,
        OUTER_BLOCK=inner.blocksize,
        NESTED=nested,
        RANKS=max(16, triton.next_power_of_2(rank)) if rank else 0,
        ROWS=32,
        BLOCKS=256 // state.blocksize,
    )


@triton.jit
def _dequantize(
    out_at,
    packed_at,
    absmax_at,
    code_at,
    absmax_code_at,
    outer_at,
    offset_at,
    up_at,
    down_at,
    num_rows,
    num_columns,
    rank,
    BLOCK: tl.constexpr,
    OUTER_BLOCK: tl.constexpr,
    NESTED: tl.constexpr,
    RANKS: tl.constexpr,
    ROWS: tl.constexpr,
    BLOCKS: tl.constexpr,
):
    COLUMNS: tl.constexpr = BLOCKS * BLOCK
    row = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    column = tl.program_id(1) * COLUMNS + tl.arange(0, COLUMNS)
    pair = tl.program_id(1) * (COLUMNS // 2) + tl.arange(0, COLUMNS // 2)
    first = row.to(tl.int64)[:, None] * num_columns
    here = (row < num_rows)[:, None] & (2 * pair < num_columns)[None, :]
    part = tl.program_id(1) * BLOCKS + tl.arange(0, BLOCKS)
    block = (first + part[None, :] * BLOCK) // BLOCK
    known = (row < num_rows)[:, None] & (part * BLOCK < num_columns)[None, :]
    if NESTED:
        number = tl.load(absmax_at + block, known, 0).to(tl.int32)
        scale = tl.load(absmax_code_at + number)
        scale *= tl.load(outer_at + block // OUTER_BLOCK, known, 0.0)
        scale += tl.load(offset_at)
    else:
        scale = tl.load(absmax_at + block, known, 0.0)
    # One load per block instead of one per weight is three times as fast.
    scale = tl.broadcast_to(scale[:, :, None], (ROWS, BLOCKS, BLOCK // 2))
    scale = tl.reshape(scale, (ROWS, BLOCKS * BLOCK // 2))
    packed = tl.load(packed_at + first // 2 + pair[None, :], here, 0).to(tl.int32)
    one = tl.load(code_at + (packed >> 4)) * scale
    other = tl.load(code_at + (packed & 15)) * scale
    weights = tl.interleave(one, other)
    inside = (row < num_rows)[:, None] & (column < num_columns)[None, :]
    if RANKS:
        ranks = tl.arange(0, RANKS)
        used = ranks < rank
        up = tl.load(
            up_at + row[:, None] * rank + ranks[None, :],
            (row < num_rows)[:, None] & used[None, :],
            0.0,
        )
        down = tl.load(
            down_at + ranks[:, None] * num_columns + column[None, :],
            used[:, None] & (column < num_columns)[None, :],
            0.0,
        )
        weights += tl.dot(up, down, input_precision="ieee")
    tl.store(out_at + first + column[None, :], weights, inside)
