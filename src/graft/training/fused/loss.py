"""The last norm, output layer and cross-entropy fused, for the trained tokens only.

Logits are computed for some tokens at a time, together with their gradients, so the
full matrix never exists. Source of the method: Hsu et al. 2024, arXiv:2410.10989
(Liger).
"""

# pylint: disable=abstract-method,arguments-differ  # as autograd functions require

from dataclasses import dataclass
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

LOGIT_BYTES = 2**28
"""Bytes of logits computed at a time."""


@dataclass(frozen=True)
class Head:
    """The frozen modules after the last decoder layer.

    Attributes:
        norm: weight of the root-mean-square norm, [hidden].
        eps: of that norm.
        out: the output layer's weight, [vocabulary, hidden].
    """

    norm: Tensor
    eps: float
    out: Tensor


def head_loss(
    hidden: Tensor,
    head: Head,
    predicts: Tensor,
    targets: Tensor,
    weights: Tensor | None,
    ops: ModuleType,
) -> Tensor:
    """Weighted sum of negative log-likelihoods, in nats, float32.

    Args:
        hidden: output of the last layer. [tokens, hidden].
        head: norm and output layer.
        predicts: positions in `hidden` that carry loss, without duplicates. [trained].
        targets: the next tokens. [trained].
        weights: of the targets; None: 1. [trained].
        ops: `graft.kernels.cuda` or `.plain`.
    """
    total: Tensor = _HeadLoss.apply(hidden, head, predicts, targets, weights, ops)
    return total


class _HeadLoss(torch.autograd.Function):  # type: ignore[misc]
    @staticmethod
    def forward(
        ctx: Any,
        hidden: Tensor,
        head: Head,
        predicts: Tensor,
        targets: Tensor,
        weights: Tensor | None,
        ops: ModuleType,
    ) -> Tensor:
        """Computes the gradient too, if it is needed."""
        grad = torch.zeros_like(hidden) if ctx.needs_input_grad[0] else None
        wide = torch.promote_types(hidden.dtype, torch.float32)
        total = hidden.new_zeros((), dtype=wide)
        at_once = max(1, LOGIT_BYTES // (len(head.out) * head.out.element_size()))
        for first in range(0, len(predicts), at_once):
            part = slice(first, first + at_once)
            states = hidden[predicts[part]]
            normed, scale = ops.norm(states, head.norm, head.eps)
            logits = normed @ head.out.T
            given = None if weights is None else weights[part]
            total += ops.cross_entropy_(logits, targets[part], given).sum()
            if grad is not None:
                back = logits @ head.out  # cross_entropy_ replaced logits by gradients
                nothing = torch.zeros_like(back)
                back, _ = ops.norm_backward(back, states, head.norm, scale, nothing)
                grad[predicts[part]] = back
        ctx.grad = grad
        return total

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Any, ...]:
        """The gradient, scaled by that of the sum."""
        grad, ctx.grad = ctx.grad, None
        return grad.mul_(grads[0]), None, None, None, None, None
