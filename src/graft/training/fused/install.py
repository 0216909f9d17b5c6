"""Fused layers in a model's place: what transformers calls, and autograd's part."""

# pylint: disable=abstract-method,arguments-differ  # autograd's way

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
    """Make the decoder layers of a PEFT model compute by hand, and leave its last norm
    to `head_loss`.

    Args:
        model: of a family that `support` knows.
        dtype: of its hidden states and of unpacked weights.
        keep, ops: as in `FusedLayer`.
        offloader: where the layers' inputs wait for the way back; None: where they are.
        group: processes among which 4-bit weights are sharded out; None: all are here.
    """
    workspace = Workspace(dtype, model.device, group)
    decoder = model.get_base_model().model
    for layer in decoder.layers:
        fused = FusedLayer(layer, workspace, ops, keep)
        layer.forward = partial(_forward, fused, offloader)
    decoder.norm.forward = _as_it_is


def _as_it_is(hidden: Tensor) -> Tensor:
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
    """As transformers 5 calls a decoder layer: [1, tokens, hidden] → the same shape.

    `position_embeddings`: cosines and sines, each [1, tokens, head size].
    """
    angles = [part[0] for part in position_embeddings]
    used = offloader if torch.is_grad_enabled() else None
    given = (layer, used, hidden_states[0], *angles, documents)
    out: Tensor = _Layer.apply(*given, *layer.weights)
    return out[None]


class _Layer(torch.autograd.Function):  # type: ignore[misc]
    """Puts a layer's own backward pass into autograd."""

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
        """Keeps what `layer` wants kept."""
        out, kept = layer.forward(hidden, cos, sin, documents)
        ctx.layer, ctx.offloader, ctx.given = layer, offloader, (cos, sin, documents)
        ctx.kept = layer.thin(kept)
        if offloader is not None:
            layer.offload(ctx.kept, offloader)
        return out

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Any, ...]:
        """Frees what was kept."""
        kept, ctx.kept = ctx.kept, None
        wants_input = ctx.needs_input_grad[2]
        to_hidden, found = ctx.layer.backward(
            grads[0].contiguous(), kept, *ctx.given, wants_input, ctx.offloader
        )
        return None, None, to_hidden, None, None, None, *found
