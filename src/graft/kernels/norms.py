"""Root-mean-square norms."""

# pylint: disable=invalid-name  # Triton's convention for constants

import torch
import triton
import triton.language as tl
from torch import Tensor


def norm(x: Tensor, weight: Tensor, eps: float) -> tuple[Tensor, Tensor]:
    """RMSNorm, and each token's reciprocal root mean square (float32, [tokens])."""
    num, size = x.shape
    out, scale = torch.empty_like(x), x.new_empty(num, dtype=torch.float32)
    block = triton.next_power_of_2(size)
    _norm[(num,)](x, weight, out, scale, size, x.stride(0), eps, block, num_warps=8)
    return out, scale


def add_norm(
    x: Tensor, other: Tensor, weight: Tensor, eps: float
) -> tuple[Tensor, Tensor, Tensor]:
    """x + other, and `norm` of the sum."""
    num, size = x.shape
    total, out = torch.empty_like(x), torch.empty_like(x)
    scale, block = x.new_empty(num, dtype=torch.float32), triton.next_power_of_2(size)
    _add_norm[(num,)](
        x, other, weight, total, out, scale, size, eps, block, num_warps=8
    )
    return total, out, scale


def norm_backward(
    grad: Tensor, x: Tensor, weight: Tensor, scale: Tensor, residual: Tensor
) -> tuple[Tensor, Tensor]:
    """The gradient of the norm's input plus `residual`, and the norm, recomputed."""
    num, size = x.shape
    out, normed = torch.empty_like(x), torch.empty_like(x)
    block = triton.next_power_of_2(size)
    _norm_backward[(num,)](
        grad, x, weight, scale, residual, out, normed, size, block, num_warps=8
    )
    return out, normed


@triton.jit
def _norm(x_at, weight_at, out_at, scale_at, size, stride, eps, BLOCK: tl.constexpr):
    row = tl.program_id(0).to(tl.int64)
    place = tl.arange(0, BLOCK)
    here = place < size
    x = tl.load(x_at + row * stride + place, here, 0.0).to(tl.float32)
    weight = tl.load(weight_at + place, here, 0.0).to(tl.float32)
    scale = tl.rsqrt(tl.sum(x * x) / size + eps)
    tl.store(scale_at + row, scale)
    tl.store(out_at + row * size + place, x * scale * weight, here)


@triton.jit
def _add_norm(
    x_at,
    other_at,
    weight_at,
    total_at,
    out_at,
    scale_at,
    size,
    eps,
    BLOCK: tl.constexpr,
):
    row = tl.program_id(0).to(tl.int64)
    place = tl.arange(0, BLOCK)
    here = place < size
    at = row * size + place
    x = tl.load(x_at + at, here, 0.0).to(tl.float32)
    x += tl.load(other_at + at, here, 0.0).to(tl.float32)
    tl.store(total_at + at, x, here)
    # The norm is that of the stored, rounded sum.
    x = x.to(total_at.dtype.element_ty).to(tl.float32)
    weight = tl.load(weight_at + place, here, 0.0).to(tl.float32)
    scale = tl.rsqrt(tl.sum(x * x) / size + eps)
    tl.store(scale_at + row, scale)
    tl.store(out_at + at, x * scale * weight, here)


@triton.jit
def _norm_backward(
    grad_at,
    x_at,
    weight_at,
    scale_at,
    residual_at,
    out_at,
    normed_at,
    size,
    BLOCK: tl.constexpr,
):
    row = tl.program_id(0).to(tl.int64)
    place = tl.arange(0, BLOCK)
    here = place < size
    at = row * size + place
    x = tl.load(x_at + at, here, 0.0).to(tl.float32)
    grad = tl.load(grad_at + at, here, 0.0).to(tl.float32)
    weight = tl.load(weight_at + place, here, 0.0).to(tl.float32)
    grad *= weight
    residual = tl.load(residual_at + at, here, 0.0).to(tl.float32)
    scale = tl.load(scale_at + row)
    along = tl.sum(grad * x) / size * scale * scale
    tl.store(out_at + at, residual + scale * (grad - x * along), here)
    tl.store(normed_at + at, x * scale * weight, here)
