"""The residual stream: sums and their RMSNorm."""

# pylint: disable=invalid-name  # Triton's convention for constants

import torch
import triton
import triton.language as tl
from torch import Tensor

from graft.kernels.adapted.low_rank import LowRank
from graft.kernels.adapted.products import arguments, is_masked


def add_(x: Tensor, out: Tensor, added: LowRank | None) -> Tensor:
    """x + out + added, in place. Shapes [tokens, features]. Returns: x."""
    _add_norm(x, out, added, None, 0.0)
    return x


def add_norm_(
    x: Tensor, out: Tensor, added: LowRank | None, weight: Tensor, eps: float
) -> Tensor:
    """`add_`. Returns: the RMSNorm of the sum."""
    return _add_norm(x, out, added, weight, eps)


def _add_norm(
    x: Tensor, out: Tensor, added: LowRank | None, weight: Tensor | None, eps: float
) -> Tensor:
    num, size = x.shape
    rows = 1 if num <= 264 else 4  # a program for each token fills the GPU at first
    normed = x if weight is None else torch.empty_like(x)
    _add[(triton.cdiv(num, rows),)](
        x, out, out.stride(0), *arguments(added, out),
        x if weight is None else weight, normed, num, size, eps,
        MASKED=is_masked(added), NORMED=weight is not None, ROWS=rows,
        BLOCK=triton.next_power_of_2(size), num_warps=16,
    )  # fmt: skip
    return normed


@triton.jit
def _add(
    x_at, out_at, out_stride, inner_at, inner_stride, up_at, up_stride, off_at,
    num_ranks, weight_at, normed_at, num, size, eps,
    MASKED: tl.constexpr, NORMED: tl.constexpr, ROWS: tl.constexpr,
    BLOCK: tl.constexpr,
):  # fmt: skip
    row = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    column = tl.arange(0, BLOCK)
    here, there = row < num, column < size
    inside = here[:, None] & there[None, :]
    at = row[:, None] * size + column[None, :]
    total = tl.load(x_at + at, inside, 0.0).to(tl.float32)
    out = tl.load(out_at + row[:, None] * out_stride + column[None, :], inside, 0.0)
    total += out.to(tl.float32)
    # Not tl.dot: one program needs a whole token for its norm.
    for start in range(0, num_ranks, 16):
        for number in tl.static_range(16):
            rank = start + number
            used = here & (rank < num_ranks)
            inner = tl.load(inner_at + row * inner_stride + rank, used, 0.0)
            if MASKED:
                off = tl.load(off_at + row * num_ranks + rank, used, 1)
                inner = tl.where(off != 0, tl.zeros_like(inner), inner)
            at_up = up_at + rank * up_stride + column
            up = tl.load(at_up, there & (rank < num_ranks), 0.0)
            total += inner.to(tl.float32)[:, None] * up.to(tl.float32)[None, :]
    tl.store(x_at + at, total, inside)
    if NORMED:
        # The norm is that of the stored, rounded sum.
        total = total.to(x_at.dtype.element_ty).to(tl.float32)
        scale = tl.rsqrt(tl.sum(total * total, 1) / size + eps)
        weight = tl.load(weight_at + column, there, 0.0).to(tl.float32)
        tl.store(normed_at + at, total * scale[:, None] * weight[None, :], inside)
