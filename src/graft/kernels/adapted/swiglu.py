"""SwiGLU. Source: Shazeer 2020, arXiv:2002.05202."""

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


def swiglu(gate_up: Tensor, added: LowRank | None) -> Tensor:
    """silu(gate) × up of gate_up + added. [tokens, 2 features] → [tokens, features]."""
    num, size = gate_up.shape[0], gate_up.shape[1] // 2
    out = gate_up.new_empty(num, size)
    rows = rows_at_once(num)
    _swiglu[(triton.cdiv(num, rows), triton.cdiv(size, 64))](
        gate_up, gate_up.stride(0), *arguments(added, gate_up), out, num, size,
        MASKED=is_masked(added), ROWS=rows, BLOCK=64, RANKS=ranks_at_once(added),
    )  # fmt: skip
    return out


@triton.jit
def _swiglu(
    gate_up_at, stride, inner_at, inner_stride, up_at, up_stride, off_at, num_ranks,
    out_at, num, size,
    MASKED: tl.constexpr, ROWS: tl.constexpr, BLOCK: tl.constexpr,
    RANKS: tl.constexpr,
):  # fmt: skip
    row = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    column = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    here, there = row < num, column < size
    inside = here[:, None] & there[None, :]
    at = gate_up_at + row[:, None] * stride + column[None, :]
    gate = tl.load(at, inside, 0.0).to(tl.float32)
    up = tl.load(at + size, inside, 0.0).to(tl.float32)
    gate += low_rank(
        inner_at, inner_stride, up_at, up_stride, off_at, num_ranks,
        row, here, column, there, MASKED, ROWS, BLOCK, RANKS,
    )  # fmt: skip
    up += low_rank(
        inner_at, inner_stride, up_at + size, up_stride, off_at, num_ranks,
        row, here, column, there, MASKED, ROWS, BLOCK, RANKS,
    )  # fmt: skip
    out = gate * tl.sigmoid(gate) * up
    tl.store(out_at + row[:, None] * size + column[None, :], out, inside)
