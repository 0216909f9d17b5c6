"""Rotary position embeddings. Source: Su et al. 2021, arXiv:2104.09864; the halves of
a head are rotated as in transformers 5."""

# pylint: disable=invalid-name  # Triton's convention for constants

from collections.abc import Sequence

import triton
import triton.language as tl
from torch import Tensor


def rotate_(states: Tensor, cos: Tensor, sin: Tensor, num_heads: int) -> None:
    """Rotate the first `num_heads` heads by the angles of their positions.

    Args:
        states: shape [tokens, all heads × head size].
        cos, sin: shape [tokens, head size]; both halves are equal.
    """
    size = cos.shape[1]
    grid = (states.shape[0], triton.cdiv(num_heads, 8))
    _rotate[grid](states, cos, sin, num_heads, states.stride(0), size // 2, 8)


def rotate_backward(parts: Sequence[Tensor], cos: Tensor, sin: Tensor) -> Tensor:
    """The backward pass of `rotate_`: gradients of queries, keys and values before
    rotation, concatenated. Shape [tokens, all heads × head size].

    Args:
        parts: gradients of rotated queries and keys, and of values. Shapes [tokens,
            heads, head size].
        cos, sin: as given to `rotate_`.
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
    rotated = num_queries + num_keys
    num = rotated + num_values
    cos = tl.where(head < rotated, cos, 1.0)
    sin = tl.where(head < rotated, sin, 0.0)
    query = query_at + (row * num_queries + head) * 2 * HALF
    key = key_at + (row * num_keys + head - num_queries) * 2 * HALF
    value = value_at + (row * num_values + head - rotated) * 2 * HALF
    at = (
        tl.where(head < num_queries, query, tl.where(head < rotated, key, value))
        + place
    )
    here = head < num
    one = tl.load(at, here, 0.0).to(tl.float32)
    other = tl.load(at + HALF, here, 0.0).to(tl.float32)
    to = out_at + (row * num + head) * 2 * HALF + place
    tl.store(to, one * cos + other * sin, here)
    tl.store(to + HALF, other * cos - one * sin, here)
