"""Rotary positions: heads turned by angles. Source: Su et al. 2021, arXiv:2104.09864;
halves as in transformers 5."""

# pylint: disable=invalid-name  # Triton's constants are written so

from collections.abc import Sequence

import triton
import triton.language as tl
from torch import Tensor


def rotate_(states: Tensor, cos: Tensor, sin: Tensor, num_heads: int) -> None:
    """Turn the first `num_heads` heads by their positions' angles.

    Args:
        states: heads side by side. Shape [tokens, all heads × head size].
        cos, sin: shape [tokens, head size], of which the halves are equal.
    """
    size = cos.shape[1]
    grid = (states.shape[0], triton.cdiv(num_heads, 8))
    _rotate[grid](states, cos, sin, num_heads, states.stride(0), size // 2, 8)


def join_turned_back(parts: Sequence[Tensor], cos: Tensor, sin: Tensor) -> Tensor:
    """Gradients of turned queries and keys, and of values, turned back side by side.

    Args:
        parts: shapes [tokens, heads, head size].
        cos, sin: as in `rotate_`, of the way there.
    """
    num, size = cos.shape
    heads = [part.shape[1] for part in parts]
    out = parts[0].new_empty(num, sum(heads) * size)
    grid = (num, triton.cdiv(sum(heads), 8))
    _join[grid](*parts, out, cos, sin, *heads, size // 2, 8)
    return out


@triton.jit
def _rotate(
    states_at,
    cos_at,
    sin_at,
    num_heads,
    stride,
    HALF: tl.constexpr,
    HEADS: tl.constexpr,
):
    row = tl.program_id(0).to(tl.int64)
    place = tl.arange(0, HALF)
    cos = tl.load(cos_at + row * 2 * HALF + place).to(tl.float32)[None, :]
    sin = tl.load(sin_at + row * 2 * HALF + place).to(tl.float32)[None, :]
    head = tl.program_id(1) * HEADS + tl.arange(0, HEADS)[:, None]
    here = head < num_heads
    at = states_at + row * stride + head * 2 * HALF + place[None, :]
    one = tl.load(at, here, 0.0).to(tl.float32)
    other = tl.load(at + HALF, here, 0.0).to(tl.float32)
    tl.store(at, one * cos - other * sin, here)
    tl.store(at + HALF, other * cos + one * sin, here)


@triton.jit
def _join(
    query_at,
    key_at,
    value_at,
    out_at,
    cos_at,
    sin_at,
    num_queries,
    num_keys,
    num_values,
    HALF: tl.constexpr,
    HEADS: tl.constexpr,
):
    row = tl.program_id(0).to(tl.int64)
    place = tl.arange(0, HALF)[None, :]
    cos = tl.load(cos_at + row * 2 * HALF + place).to(tl.float32)
    sin = tl.load(sin_at + row * 2 * HALF + place).to(tl.float32)
    head = tl.program_id(1) * HEADS + tl.arange(0, HEADS)[:, None]
    turned = num_queries + num_keys
    num = turned + num_values
    cos = tl.where(head < turned, cos, 1.0)
    sin = tl.where(head < turned, sin, 0.0)
    query = query_at + (row * num_queries + head) * 2 * HALF
    key = key_at + (row * num_keys + head - num_queries) * 2 * HALF
    value = value_at + (row * num_values + head - turned) * 2 * HALF
    at = (
        tl.where(head < num_queries, query, tl.where(head < turned, key, value)) + place
    )
    here = head < num
    one = tl.load(at, here, 0.0).to(tl.float32)
    other = tl.load(at + HALF, here, 0.0).to(tl.float32)
    to = out_at + (row * num + head) * 2 * HALF + place
    tl.store(to, one * cos + other * sin, here)
    tl.store(to + HALF, other * cos - one * sin, here)
