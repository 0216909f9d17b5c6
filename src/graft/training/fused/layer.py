"""A decoder layer of the Llama family with a hand-written backward pass.

Llama, Mistral and Qwen2 share it: norm, attention, residual, norm, SwiGLU, residual.
Without autograd, the saved activations are a choice, each weight is dequantized once
per pass, and adapters, norms and residuals need no copies of their own.
"""

from dataclasses import dataclass, field, replace
from types import ModuleType
from typing import Any, Literal

import torch
from torch import Tensor

from graft.training.attention import Documents
from graft.training.fused.attention import AttentionOutput, attend, attend_backward
from graft.training.fused.frozen import Workspace
from graft.training.fused.projection import Projection

Keep = Literal["all", "attention", "attended", "input"]
"""The activations that a layer saves for the backward pass; others are recomputed."""


@dataclass
class SavedActivations:
    """Activations for the backward pass; None: recomputed. Shapes [tokens, features].

    Attributes:
        hidden: the layer's input.
        seeds: of dropout before each of the four projections; None: no dropout.
        scale, middle_scale: reciprocal root mean squares of both norms. [tokens].
        attended: output of attention.
        middle: the residual stream after attention.
        gate_up: inputs of SwiGLU.
        qkv: queries, keys and values, before they are split into heads.
        offloaded: handles of the offloader.
        inner: x Aᵀ of each projection's adapters.
    """

    hidden: Tensor
    seeds: list[int | None]
    scale: Tensor | None = None
    attended: AttentionOutput | None = None
    middle: Tensor | None = None
    middle_scale: Tensor | None = None
    gate_up: Tensor | None = None
    qkv: Tensor | None = None
    offloaded: list[Any] = field(default_factory=list)
    inner: tuple[Tensor | None, ...] = (None,) * 4


class FusedLayer:
    """The fused computation of a decoder layer, which shares its weights.

    Args:
        layer: of transformers 5, with or without adapters.
        workspace, ops: as in `FrozenWeights`.
        keep: the activations that are saved for the backward pass.
    """

    def __init__(
        self, layer: Any, workspace: Workspace, ops: ModuleType, keep: Keep
    ) -> None:
        attention, mlp = layer.self_attn, layer.mlp
        self._ops, self._keep = ops, keep
        self._norms = (layer.input_layernorm, layer.post_attention_layernorm)
        self._size = attention.head_dim
        of_model = getattr(attention.config, "sliding_window", None)
        window = getattr(attention, "sliding_window", of_model)
        self._view = (attention.scaling, window)
        groups: list[list[Any]] = [
            [attention.q_proj, attention.k_proj, attention.v_proj],
            [attention.o_proj],
            [mlp.gate_proj, mlp.up_proj],
            [mlp.down_proj],
        ]
        parts = [Projection(group, workspace, ops) for group in groups]
        self._qkv, self._o, self._gate_up, self._down = self._parts = parts
        key_size = attention.k_proj.out_features
        self._sizes = [attention.q_proj.out_features, key_size, key_size]
        self._num_rotated = sum(self._sizes[:2]) // self._size  # heads
        self.weights = [weight for part in parts for weight in part.weights]

    def forward(
        self, hidden: Tensor, cos: Tensor, sin: Tensor, documents: Documents
    ) -> tuple[Tensor, SavedActivations]:
        """The output, and all activations."""
        for part in self._parts:
            part.refresh()
        kept = SavedActivations(hidden, self._draw())
        self._attend(kept, cos, sin, documents)
        gate_up = self._widen(kept, self._add(kept))
        act = self._ops.swiglu(gate_up)
        out, down = self._down.forward(act, kept.middle, kept.seeds[3])
        kept.inner = (*kept.inner[:3], down)
        return out, kept

    def select(self, kept: SavedActivations) -> SavedActivations:
        """The activations that `keep` names; the others are dropped."""
        if self._keep == "input":
            return SavedActivations(kept.hidden, kept.seeds)
        if self._keep in ("attention", "attended"):
            kept.gate_up = None
        if self._keep == "attended":
            kept.middle = kept.middle_scale = None
        return kept

    def offload(self, kept: SavedActivations, offloader: Any) -> None:
        """Offload the saved activations, last those that are needed first."""
        nothing = kept.hidden.new_empty(0)
        wanted = [kept.hidden]
        if kept.attended is not None and kept.qkv is not None:
            kept.offloaded.append(offloader.offload([kept.qkv]))
            wanted.append(kept.attended.out.detach())
            kept.attended = replace(kept.attended, out=nothing, states=(nothing,) * 3)
        kept.offloaded.append(offloader.offload(wanted))
        kept.hidden, kept.qkv = nothing, None

    def backward(
        self,
        grad: Tensor,
        kept: SavedActivations,
        cos: Tensor,
        sin: Tensor,
        documents: Documents,
        wants_input: bool,
        offloader: Any = None,
    ) -> tuple[Tensor | None, list[Tensor]]:
        """Gradients of the input, if `wants_input`, and of `weights`. `offloader`: as
        in `offload`, if it was called."""
        ops, seeds = self._ops, kept.seeds
        weights = [norm.weight for norm in self._norms]
        if kept.offloaded:
            kept.hidden, *outs = offloader.fetch(kept.offloaded.pop())
            if kept.attended is not None:
                kept.attended = replace(kept.attended, out=outs[0])
        if kept.attended is None:
            self._attend(kept, cos, sin, documents)
            self._widen(kept, self._add(kept))
        elif kept.middle is None:
            self._widen(kept, self._add(kept))
        elif kept.gate_up is None:
            assert kept.middle is not None
            self._widen(kept, ops.norm(kept.middle, weights[1], self._eps(1))[0])
        assert kept.attended and kept.middle is not None and kept.gate_up is not None
        assert kept.scale is not None and kept.middle_scale is not None
        gate_up, kept.gate_up = kept.gate_up, None
        qkv_inner, o_inner, wide_inner, down_inner = kept.inner

        act, to_inner = self._down.backward(grad, seeds[3])
        ops.swiglu_backward_(act, gate_up)  # turns act from gradient to activation
        found = self._down.gradients(grad, to_inner, act, down_inner, seeds[3])
        del act
        to_normed, to_inner = self._gate_up.backward(gate_up, seeds[2])
        grad, normed = ops.norm_backward(
            to_normed, kept.middle, weights[1], kept.middle_scale, grad
        )
        found = (
            self._gate_up.gradients(gate_up, to_inner, normed, wide_inner, seeds[2])
            + found
        )
        del gate_up, normed, to_normed
        to_attended, to_inner = self._o.backward(grad, seeds[1])
        attended = kept.attended.out.detach().flatten(1)
        found = self._o.gradients(grad, to_inner, attended, o_inner, seeds[1]) + found
        if kept.offloaded:
            (qkv,) = offloader.fetch(kept.offloaded.pop())
            kept.attended = replace(kept.attended, states=self._heads(qkv))
            if documents.rows:  # plain attention needs its autograd graph
                kept.attended = attend(self._heads(qkv), documents, *self._view)
        parts = attend_backward(
            to_attended.view_as(kept.attended.out),
            kept.attended,
            documents,
            *self._view,
        )
        to_qkv = ops.rotate_backward(parts, cos, sin)
        del parts, attended, to_attended
        to_normed, to_inner = self._qkv.backward(to_qkv, seeds[0])
        grad, normed = ops.norm_backward(
            to_normed, kept.hidden, weights[0], kept.scale, grad
        )
        found = (
            self._qkv.gradients(to_qkv, to_inner, normed, qkv_inner, seeds[0]) + found
        )
        return (grad if wants_input else None), found

    def _eps(self, number: int) -> float:
        return float(self._norms[number].variance_epsilon)

    def _draw(self) -> list[int | None]:
        """Dropout seeds from torch's default generator; None where dropout is off."""
        return [
            int(torch.randint(2**31, ())) if part.rate else None for part in self._parts
        ]

    def _attend(
        self, kept: SavedActivations, cos: Tensor, sin: Tensor, documents: Documents
    ) -> None:
        """Norm, projections and attention; stores activations in `kept`."""
        normed, kept.scale = self._ops.norm(
            kept.hidden, self._norms[0].weight, self._eps(0)
        )
        qkv, inner = self._qkv.forward(normed, seed=kept.seeds[0])
        self._ops.rotate_(qkv, cos, sin, self._num_rotated)
        kept.qkv = qkv if self._keep == "attended" else None
        kept.attended = attend(self._heads(qkv), documents, *self._view)
        kept.inner = (inner, *kept.inner[1:])

    def _heads(self, qkv: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values. Shapes [tokens, heads, head size]."""
        q, k, v = (
            part.unflatten(1, (-1, self._size)) for part in qkv.split(self._sizes, 1)
        )
        return q, k, v

    def _add(self, kept: SavedActivations) -> Tensor:
        """Output projection, residual and second norm; stores activations in `kept`."""
        assert kept.attended is not None
        attended = kept.attended.out.detach().flatten(1)
        added, o_inner = self._o.forward(attended, seed=kept.seeds[1])
        kept.middle, normed, kept.middle_scale = self._ops.add_norm(
            kept.hidden, added, self._norms[1].weight, self._eps(1)
        )
        kept.inner = (kept.inner[0], o_inner, *kept.inner[2:])
        return normed

    def _widen(self, kept: SavedActivations, normed: Tensor) -> Tensor:
        """Gate and up projections; stores them in `kept`."""
        kept.gate_up, inner = self._gate_up.forward(normed, seed=kept.seeds[2])
        kept.inner = (*kept.inner[:2], inner, kept.inner[3])
        return kept.gate_up
