"""The kernels' functions in plain torch, for tests and for a CPU."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional


def norm(x: Tensor, weight: Tensor, eps: float) -> tuple[Tensor, Tensor]:
    """As in `cuda`."""
    wide = _wide(x)
    scale = torch.rsqrt(wide.square().mean(1) + eps)
    return (wide * scale[:, None] * weight).to(x.dtype), scale


def add_norm(
    x: Tensor, other: Tensor, weight: Tensor, eps: float
) -> tuple[Tensor, Tensor, Tensor]:
    """As in `cuda`."""
    total = x + other
    return total, *norm(total, weight, eps)


def norm_backward(
    grad: Tensor, x: Tensor, weight: Tensor, scale: Tensor, residual: Tensor
) -> tuple[Tensor, Tensor]:
    """As in `cuda`."""
    wide = _wide(x)
    scaled = _wide(grad) * weight
    along = (scaled * wide).mean(1) * scale.square()
    found = residual + scale[:, None] * (scaled - wide * along[:, None])
    return found.to(x.dtype), (wide * scale[:, None] * weight).to(x.dtype)


def rotate_(states: Tensor, cos: Tensor, sin: Tensor, num_heads: int) -> None:
    """As in `cuda`."""
    num, size = cos.shape
    heads = states[:, : num_heads * size].view(num, num_heads, size)
    one, other = heads.chunk(2, dim=2)
    rotated = torch.cat((-other, one), dim=2)
    heads.copy_(heads * cos[:, None] + rotated * sin[:, None])


def rotate_backward(parts: Sequence[Tensor], cos: Tensor, sin: Tensor) -> Tensor:
    """As in `cuda`."""
    out = torch.cat([part.flatten(1) for part in parts], dim=1)
    rotate_(out, cos, -sin, parts[0].shape[1] + parts[1].shape[1])
    return out


def swiglu(gate_up: Tensor) -> Tensor:
    """As in `cuda`."""
    gate, up = _wide(gate_up).chunk(2, dim=1)
    return (functional.silu(gate) * up).to(gate_up.dtype)


def swiglu_backward_(grad: Tensor, gate_up: Tensor) -> None:
    """As in `cuda`."""
    gate, up = _wide(gate_up).chunk(2, dim=1)
    wide, opened = _wide(grad), gate.sigmoid()
    to_gate = wide * up * opened * (1 + gate * (1 - opened))
    to_up = wide * gate * opened
    grad.copy_(gate * opened * up)
    gate_up.copy_(torch.cat((to_gate, to_up), dim=1))


def cross_entropy_(logits: Tensor, targets: Tensor, weights: Tensor | None) -> Tensor:
    """As in `cuda`."""
    logs = _wide(logits).log_softmax(1)
    factor = torch.ones_like(logs[:, 0]) if weights is None else weights
    losses = -logs.gather(1, targets[:, None])[:, 0] * factor
    share = logs.exp()
    share[torch.arange(len(targets)), targets] -= 1
    logits.copy_(share * factor[:, None])
    return losses


def dropout(x: Tensor, rate: float, seed: int) -> Tensor:
    """As in `cuda`, but the same seed drops other elements."""
    source = torch.Generator(x.device).manual_seed(seed)
    kept = torch.rand(x.shape, generator=source, device=x.device) >= rate
    return x * kept / (1 - rate)


def dequantize_(
    out: Tensor,
    packed: Tensor,
    state: Any,
    up: Tensor | None = None,
    down: Tensor | None = None,
) -> None:
    """As in `cuda`."""
    scales = state.absmax
    if state.nested:
        inner = state.state2
        outer = inner.absmax.repeat_interleave(inner.blocksize)[: len(scales)]
        scales = inner.code[scales.long()] * outer + state.offset
    bytes_ = packed.flatten()
    numbers = torch.stack((bytes_ >> 4, bytes_ & 15), dim=1).flatten()
    weights = state.code[numbers.long()].view(len(scales), -1) * scales[:, None]
    wide = weights.view(out.shape).to(_wide(out).dtype)
    if up is not None and down is not None:
        wide += _wide(up) @ _wide(down)
    out.copy_(wide)


def _wide(x: Tensor) -> Tensor:
    """In float32, unless it is float64."""
    return x if x.dtype == torch.float64 else x.float()
