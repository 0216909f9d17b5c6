"""Triton kernels of decoding."""

# Triton's constants are written in capitals.
# pylint: disable=invalid-name

from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor


@triton.jit
def _partial(
    q, k, v, out, sums, positions, q_row, k_slot, k_token, k_head,
    scale, window, splits,
    HEADS: tl.constexpr, SHARED: tl.constexpr, PADDED: tl.constexpr,
    SIZE: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    row, head, split = tl.program_id(0), tl.program_id(1), tl.program_id(2)
    length = tl.load(positions + row).to(tl.int32) + 1
    start = tl.maximum(length - window, 0)
    part = tl.cdiv(tl.cdiv(length - start, splits), BLOCK) * BLOCK
    start += split * part
    end = tl.minimum(start + part, length)
    shared, dims = tl.arange(0, PADDED), tl.arange(0, SIZE)
    heads = head * SHARED + shared
    real = shared < SHARED
    at = row * q_row + heads[:, None] * SIZE + dims[None]
    queries = tl.load(q + at, mask=real[:, None], other=0.0)
    base = row.to(tl.int64) * k_slot + head * k_head
    best = tl.full([PADDED], -float("inf"), tl.float32)
    total = tl.zeros([PADDED], tl.float32)
    seen = tl.zeros([PADDED, SIZE], tl.float32)
    for first in range(start, end, BLOCK):
        tokens = first + tl.arange(0, BLOCK)
        there = tokens < end
        place = base + tokens[:, None] * k_token + dims[None]
        keys = tl.load(k + place, mask=there[:, None], other=0.0)
        scores = tl.dot(queries, tl.trans(keys)) * scale
        scores = tl.where(there[None], scores, -float("inf"))
        higher = tl.maximum(best, tl.max(scores, 1))
        weights = tl.exp(scores - higher[:, None])
        shrink = tl.exp(best - higher)
        total = total * shrink + tl.sum(weights, 1)
        values = tl.load(v + place, mask=there[:, None], other=0.0)
        seen = seen * shrink[:, None] + tl.dot(weights.to(values.dtype), values)
        best = higher
    safe = tl.where(total > 0, total, 1.0)
    seen = seen / safe[:, None]
    to = ((row * splits + split) * HEADS + heads)[:, None] * SIZE + dims[None]
    tl.store(out + to, seen.to(out.dtype.element_ty), mask=real[:, None])
    if splits > 1:
        log = tl.where(total > 0, best + tl.log(safe), -float("inf"))
        tl.store(sums + (row * splits + split) * HEADS + heads, log, mask=real)


@triton.jit
def _combine(
    parts, sums, out, splits,
    HEADS: tl.constexpr, SIZE: tl.constexpr, SPLITS: tl.constexpr,
):  # fmt: skip
    row, head = tl.program_id(0), tl.program_id(1)
    places, dims = tl.arange(0, SPLITS), tl.arange(0, SIZE)
    there = places < splits
    at = (row * splits + places) * HEADS + head
    logs = tl.load(sums + at, mask=there, other=-float("inf"))
    weights = tl.exp(logs - tl.max(logs, 0))
    weights = weights / tl.sum(weights, 0)
    seen = tl.load(
        parts + at[:, None] * SIZE + dims[None], mask=there[:, None], other=0
    )
    mixed = tl.sum(seen.to(tl.float32) * weights[:, None], 0)
    tl.store(out + (row * HEADS + head) * SIZE + dims, mixed.to(out.dtype.element_ty))


def flash_decode(
    query: Tensor, own: Tensor, positions: Tensor, scale: float, window: int | None
) -> Tensor:
    """Attention of one token per row over the row's own slot.

    Keys and values are read once for all query heads that share them, and rows are
    split over their length where there are too few to fill the GPU.

    Args:
        query: [rows, heads, head size]; the last two dimensions are contiguous.
        own: keys and values. Shape [2, slots, length, key heads, head size].
        positions: of the tokens; each attends to itself and those before. Shape [rows].
        scale: of scores.
        window: tokens that each attends to at most; None: all.
    Returns: [rows, heads, head size].
    """
    rows, heads, size = query.shape
    keys, values = own
    key_heads = keys.shape[2]
    shared = heads // key_heads
    splits = max(1, min(16, 264 // (rows * key_heads), -(-keys.shape[1] // 64)))
    dtype = query.dtype if splits == 1 else torch.float32
    parts = torch.empty(rows, splits, heads, size, dtype=dtype, device=query.device)
    sums = torch.empty(rows, splits, heads, dtype=torch.float32, device=query.device)
    grid: Any = (rows, key_heads, splits)
    _partial[grid](
        query, keys, values, parts, sums, positions, query.stride(0),
        keys.stride(0), keys.stride(1), keys.stride(2),
        scale, window or 2**30, splits,
        HEADS=heads, SHARED=shared, PADDED=max(16, triton.next_power_of_2(shared)),
        SIZE=size, BLOCK=64, num_warps=4, num_stages=2,
    )  # fmt: skip
    if splits == 1:
        return parts[:, 0]
    out = query.new_empty(query.shape)
    _combine[(rows, heads)](
        parts, sums, out, splits,
        HEADS=heads, SIZE=size, SPLITS=triton.next_power_of_2(splits), num_warps=1,
    )  # fmt: skip
    return out
