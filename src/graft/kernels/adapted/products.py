"""What adapters add, as a part of other Triton kernels."""

# pylint: disable=invalid-name  # Triton's convention for constants

from typing import Any

import triton
import triton.language as tl
from torch import Tensor

from graft.kernels.adapted.low_rank import LowRank


def arguments(added: LowRank | None, unused: Tensor) -> tuple[Any, ...]:
    """inner, its stride, up, its stride, off, and the number of ranks."""
    if added is None:
        return unused, 0, unused, 0, unused, 0
    off = unused if added.off is None else added.off
    inner, up = added.inner, added.up
    return inner, inner.stride(0), up, up.stride(0), off, up.shape[0]


def is_masked(added: LowRank | None) -> bool:
    return added is not None and added.off is not None


def rows_at_once(num: int) -> int:
    """Tokens that one program computes; measured on an H100."""
    return 16 if num <= 64 else 64


def ranks_at_once(added: LowRank | None) -> int:
    """Ranks that one product adds."""
    rank = 16 if added is None else added.up.shape[0]
    return int(min(64, max(16, triton.next_power_of_2(rank))))


@triton.jit
def low_rank(
    inner_at, inner_stride, up_at, up_stride, off_at, num_ranks,
    row, here, column, there,
    MASKED: tl.constexpr, ROWS: tl.constexpr, COLUMNS: tl.constexpr,
    RANKS: tl.constexpr,
):  # fmt: skip
    total = tl.zeros([ROWS, COLUMNS], tl.float32)
    for start in range(0, num_ranks, RANKS):
        rank = start + tl.arange(0, RANKS)
        used = here[:, None] & (rank < num_ranks)[None, :]
        at = inner_at + row[:, None] * inner_stride + rank[None, :]
        inner = tl.load(at, used, 0.0)
        if MASKED:
            off = tl.load(off_at + row[:, None] * num_ranks + rank[None, :], used, 1)
            inner = tl.where(off != 0, tl.zeros_like(inner), inner)
        at = up_at + rank[:, None] * up_stride + column[None, :]
        up = tl.load(at, (rank < num_ranks)[:, None] & there[None, :], 0.0)
        total += tl.dot(inner, up, input_precision="ieee")
    return total
