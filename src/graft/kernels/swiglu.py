"""SwiGLU. Source: Shazeer 2020, arXiv:2002.05202."""

# pylint: disable=invalid-name  # Triton's convention for constants

import triton
import triton.language as tl
from torch import Tensor

_BLOCK = 2048


def swiglu(gate_up: Tensor) -> Tensor:
    """silu(gate) × up. [tokens, 2 × features] → [tokens, features]."""
    num, size = gate_up.shape[0], gate_up.shape[1] // 2
    out = gate_up.new_empty(num, size)
    _swiglu[(num, triton.cdiv(size, _BLOCK))](gate_up, out, size, _BLOCK)
    return out


def swiglu_backward_(grad: Tensor, gate_up: Tensor) -> None:
    """Replace `gate_up` by its gradient, and `grad` by silu(gate) × up."""
    num, size = grad.shape
    grid = (num, triton.cdiv(size, _BLOCK))
    _swiglu_backward[grid](grad, gate_up, size, _BLOCK)


@triton.jit
def _swiglu(gate_up_at, out_at, size, BLOCK: tl.constexpr):
    row = tl.program_id(0).to(tl.int64)
    place = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    here = place < size
    gate = tl.load(gate_up_at + row * 2 * size + place, here, 0.0).to(tl.float32)
    up = tl.load(gate_up_at + row * 2 * size + size + place, here, 0.0).to(tl.float32)
    tl.store(out_at + row * size + place, gate * tl.sigmoid(gate) * up, here)


@triton.jit
def _swiglu_backward(grad_at, gate_up_at, size, BLOCK: tl.constexpr):
    row = tl.program_id(0).to(tl.int64)
    place = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    here = place < size
    gate_at = gate_up_at + row * 2 * size + place
    gate = tl.load(gate_at, here, 0.0).to(tl.float32)
    up = tl.load(gate_at + size, here, 0.0).to(tl.float32)
    grad = tl.load(grad_at + row * size + place, here, 0.0).to(tl.float32)
    opened = tl.sigmoid(gate)
    tl.store(grad_at + row * size + place, gate * opened * up, here)
    tl.store(gate_at, grad * up * opened * (1 + gate * (1 - opened)), here)
    tl.store(gate_at + size, grad * gate * opened, here)
