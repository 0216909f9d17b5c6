"""The functions of `cuda` in plain torch, for tests and for a CPU."""

from torch import Tensor
from torch.nn import functional

from graft.kernels.adapted.low_rank import LowRank
from graft.kernels.plain import rotate_
from graft.kernels.plain import swiglu as plain_swiglu

APPENDED = False
"""As in `cuda`."""


def norm(x: Tensor, weight: Tensor, eps: float) -> Tensor:
    """As in `cuda`."""
    out: Tensor = functional.rms_norm(x, weight.shape, weight, eps)
    return out


def add_(x: Tensor, out: Tensor, added: LowRank | None) -> Tensor:
    """As in `cuda`."""
    return x.add_(_with(out, added))


def add_norm_(
    x: Tensor, out: Tensor, added: LowRank | None, weight: Tensor, eps: float
) -> Tensor:
    """As in `cuda`."""
    return norm(add_(x, out, added), weight, eps)


def swiglu(gate_up: Tensor, added: LowRank | None) -> Tensor:
    """As in `cuda`."""
    return plain_swiglu(_with(gate_up, added))


def rotate_and_store(
    qkv: Tensor,
    cos: Tensor,
    sin: Tensor,
    num_heads: tuple[int, int],
    added: LowRank | None,
    own: Tensor | None,
    slots: Tensor,
    positions: Tensor,
) -> None:
    """As in `cuda`."""
    queries, keys = num_heads
    rotate_(_with(qkv, added), cos, sin, queries + keys)
    if own is not None:
        heads = qkv.unflatten(1, (-1, cos.shape[1]))[:, queries:]
        for store, new in zip(own, heads.split([keys, keys], dim=1)):
            store.index_put_((slots, positions), new)


def _with(out: Tensor, added: LowRank | None) -> Tensor:
    return out if added is None else added.add_(out)
