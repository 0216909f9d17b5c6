"""Dropout whose mask is a function of a seed."""

# pylint: disable=invalid-name  # Triton's convention for constants

import torch
import triton
import triton.language as tl
from torch import Tensor

_BLOCK = 2048


def dropout(x: Tensor, rate: float, seed: int) -> Tensor:
    """x with a share `rate` of elements set to 0, and the others divided by 1 - rate.
    The same seed drops the same elements."""
    out = torch.empty_like(x)
    grid = (triton.cdiv(x.numel(), _BLOCK),)
    _dropout[grid](x, out, x.numel(), rate, seed, _BLOCK)
    return out


@triton.jit
def _dropout(x_at, out_at, num, rate, seed, BLOCK: tl.constexpr):
    place = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    here = place < num
    x = tl.load(x_at + place, here, 0.0).to(tl.float32)
    kept = tl.rand(seed, place) >= rate
    tl.store(out_at + place, tl.where(kept, x / (1 - rate), 0.0), here)
