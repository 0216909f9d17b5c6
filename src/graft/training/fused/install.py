"""Replacing a model's decoder layers by fused ones."""

# pylint: disable=abstract-method,arguments-differ  # as autograd functions require

from functools import partial
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from graft.training.attention import Documents
from graft.training.fused.frozen import Workspace
from graft.training.fused.layer import FusedLayer, Keep
from graft.training.fused.offloading import ActivationOffloader
from graft.training.parallel import DataParallelGroup


def install(
    model: Any,
    dtype: torch.dtype,
    keep: Keep,
    ops: ModuleType,
    offloader: ActivationOffloader | None = None,
    group: DataParallelGroup | None = None,
) -> None:
    """Replace the forward pass of a PEFT model's decoder layers. The last norm becomes
    the identity, since `head_loss` computes it.

    Args:
        model: of a family without a `fusion_obstacle`.
        dtype: of hidden states and dequantized weights.
        keep, ops: as in `FusedLayer`.
        offloader: of saved activations; None: they stay on the device.
        group: processes that 4-bit weights are sharded over; None: they are not.
    """
    workspace = Workspace(dtype, model.device, group)
    decoder = model.get_base_model().model
    for layer in decoder.layers:
        fused = FusedLayer(layer, workspace, ops, keep)
        layer.forward = partial(_forward, fused, offloader)
    decoder.norm.forward = _identity


def _identity(hidden: Tensor) -> Tensor:
    return hidden


def _forward(
    layer: FusedLayer,
    offloader: ActivationOffloader | None,
    hidden_states: Tensor,
    *,
    position_embeddings: tuple[Tensor, Tensor],
    documents: Documents,
    **_: Any,
) -> Tensor:
    """The signature of a transformers 5 decoder layer. [1, tokens, hidden] → the same.

    `position_embeddings`: cosines and sines, each [1, tokens, head size].
    """
    angles = [part[0] for part in position_embeddings]
    used = offloader if torch.is_grad_enabled() else None
    given = (layer, used, hidden_states[0], *angles, documents)
    out: Tensor = _Layer.apply(*given, *layer.weights)
    return out[None]


class _Layer(torch.autograd.Function):  # type: ignore[misc]
    """Connects a fused layer's backward pass to autograd."""

    @staticmethod
    def forward(
        ctx: Any,
        layer: FusedLayer,
        offloader: ActivationOffloader | None,
        hidden: Tensor,
        cos: Tensor,
        sin: Tensor,
        documents: Documents,
        *_: Tensor,
    ) -> Tensor:
        """Saves the activations that `layer` selects."""
        out, kept = layer.forward(hidden, cos, sin, documents)
        ctx.layer, ctx.offloader, ctx.given = layer, offloader, (cos, sin, documents)
        ctx.kept = layer.select(kept)
        if offloader is not None:
            layer.offload(ctx.kept, offloader)
        return out

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Any, ...]:
        """Frees the saved activations."""
        kept, ctx.kept = ctx.kept, None
        wants_input = ctx.needs_input_grad[2]
        to_hidden, found = ctx.layer.backward(
            grads[0].contiguous(), kept, *ctx.given, wants_input, ctx.offloader
        )
        return None, None, to_hidden, None, None, None, *found
