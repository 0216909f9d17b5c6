"""The last norm, the output layer and the cross-entropy in one, where tokens learn.

Logits are never held whole: they are made for some tokens at a time, forward and
backward at once, since the gradient of a sum of losses is known with the logits. Source
of the method: Hsu et al. 2024, arXiv:2410.10989 (Liger).
"""

# pylint: disable=abstract-method,arguments-differ  # autograd's way

from dataclasses import dataclass
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

LOGIT_BYTES = 2**28
"""Of logits at a time."""


@dataclass(frozen=True)
class Head:
    """What stands after the last layer, all of it frozen.

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
    """Weighed sum of negative log-likelihoods, in nats, float32.

    Args:
        hidden: what the last layer gives. [tokens, hidden].
        head: norm and output layer.
        predicts: places in `hidden` that predict, each once. [learned].
        targets: what they are to predict. [learned].
        weights: of the targets; None: 1. [learned].
        ops: `kernels` or `plain`.
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
        """Computes the gradient too, if it will be asked for."""
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
                back = logits @ head.out  # logits hold their gradient now
                nothing = torch.zeros_like(back)
                back, _ = ops.norm_backward(back, states, head.norm, scale, nothing)
                grad[predicts[part]] = back
        ctx.grad = grad
        return total

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Any, ...]:
        """The gradient, by that of the sum."""
        grad, ctx.grad = ctx.grad, None
        return grad.mul_(grads[0]), None, None, None, None, None
