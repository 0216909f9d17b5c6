"""The output layer and the cross-entropy in one: logits are never held whole.

Both are done for some tokens at a time, forward and backward at once, since the
gradient of a sum of losses is known with the logits. Source of the method: Hsu et al.
2024, arXiv:2410.10989 (Liger).
"""

# pylint: disable=abstract-method,arguments-differ  # autograd's way

from types import ModuleType
from typing import Any

import torch
from torch import Tensor

_BYTES = 2**28  # of logits at a time


def linear_cross_entropy(
    hidden: Tensor,
    weight: Tensor,
    targets: Tensor,
    weights: Tensor | None,
    ops: ModuleType,
) -> Tensor:
    """Weighed sum of negative log-likelihoods, in nats, float32.

    Args:
        hidden: [tokens, hidden].
        weight: the output layer's, frozen. [vocabulary, hidden].
        targets: [tokens].
        weights: of the tokens; None: 1. [tokens].
        ops: `kernels` or `plain`.
    """
    total: Tensor = _LinearCrossEntropy.apply(hidden, weight, targets, weights, ops)
    return total


class _LinearCrossEntropy(torch.autograd.Function):  # type: ignore[misc]
    @staticmethod
    def forward(
        ctx: Any,
        hidden: Tensor,
        weight: Tensor,
        targets: Tensor,
        weights: Tensor | None,
        ops: ModuleType,
    ) -> Tensor:
        """Computes the gradient too, if it will be asked for."""
        learns = ctx.needs_input_grad[0]
        grad = torch.empty_like(hidden) if learns else None
        total = hidden.new_zeros(
            (), dtype=torch.promote_types(hidden.dtype, torch.float32)
        )
        at_once = max(1, _BYTES // (weight.shape[0] * weight.element_size()))
        for first in range(0, len(hidden), at_once):
            part = slice(first, first + at_once)
            logits = hidden[part] @ weight.T
            given = None if weights is None else weights[part]
            total += ops.cross_entropy_(logits, targets[part], given).sum()
            if grad is not None:
                torch.mm(logits, weight, out=grad[part])
        ctx.grad = grad
        return total

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Any, ...]:
        """The gradient, by that of the sum."""
        grad, ctx.grad = ctx.grad, None
        return grad * grads[0].to(grad.dtype), None, None, None, None
