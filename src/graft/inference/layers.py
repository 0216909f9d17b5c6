"""Decoder layers of the Llama structure in few kernels, for inference."""

from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

from torch import Tensor
from torch.nn import functional

from graft.inference.adapters import AdaptedLinear
from graft.inference.attention import attend_stored
from graft.inference.layouts import STEP
from graft.kernels.adapted.low_rank import LowRank

Join = Callable[[Sequence[Any]], AdaptedLinear]
"""Linear layers with the same input → one product."""
FAMILIES = ("Llama", "Mistral", "Qwen2", "Qwen3")


def has_llama_structure(layer: Any) -> bool:
    """Whether `InferenceLayer` computes what this module of transformers does."""
    family = type(layer).__name__.removesuffix("DecoderLayer")
    return (
        family in FAMILIES
        and type(layer.mlp.act_fn).__name__ in ("SiLU", "SiLUActivation")
        and not _is_rotated_in_part(layer.self_attn.config)
    )


def _is_rotated_in_part(config: Any) -> bool:
    rope = getattr(config, "rope_parameters", None) or {}
    return float(rope.get("partial_rotary_factor") or 1) != 1


class InferenceLayer:
    """Computes a decoder layer of transformers with joined products.

    Args:
        layer: a module that `has_llama_structure`.
        join: makes one product of linear layers.
        ops: `cuda` or `plain` of `graft.kernels.adapted`.
    """

    def __init__(self, layer: Any, join: Join, ops: ModuleType) -> None:
        attention, mlp = layer.self_attn, layer.mlp
        self._attention, self._ops, self._number = attention, ops, attention.layer_idx
        self._norms = [
            (norm.weight, norm.variance_epsilon)
            for norm in (layer.input_layernorm, layer.post_attention_layernorm)
        ]
        self._qkv = join([attention.q_proj, attention.k_proj, attention.v_proj])
        self._output = join([attention.o_proj])
        self._gate_up = join([mlp.gate_proj, mlp.up_proj])
        self._down = join([mlp.down_proj])
        self._window = (
            attention.sliding_window
            if hasattr(attention, "sliding_window")
            else getattr(attention.config, "sliding_window", None)
        )

    def forward(
        self,
        hidden_states: Tensor,
        *,
        position_embeddings: tuple[Tensor, Tensor],
        **_: Any,
    ) -> Tensor:
        """The signature of a transformers 5 decoder layer; works in place.

        Args:
            hidden_states: shape [rows, tokens, hidden].
            position_embeddings: cosines and sines, [rows, tokens, head size].
        """
        x = hidden_states.flatten(0, 1)
        cos, sin = (part.flatten(0, 1).to(x.dtype) for part in position_embeddings)
        first, second = self._norms
        qkv, added = self._qkv.split(self._ops.norm(x, *first))
        found = self._attend(qkv, added, cos, sin).flatten(1)
        out, added = self._output.split(found)
        normed = self._ops.add_norm_(x, out, added, *second)
        inner = self._ops.swiglu(*self._gate_up.split(normed))
        return self._ops.add_(x, *self._down.split(inner)).view(hidden_states.shape)

    def _attend(
        self, qkv: Tensor, added: LowRank | None, cos: Tensor, sin: Tensor
    ) -> Tensor:
        """[tokens, heads, head size] of qkv + added."""
        attention, size = self._attention, cos.shape[1]
        heads = qkv.unflatten(1, (-1, size))  # queries, keys, values
        num_keys = attention.k_proj.out_features // size
        num_queries = heads.shape[1] - 2 * num_keys
        query, key, value = heads.split([num_queries, num_keys, num_keys], dim=1)
        if hasattr(attention, "q_norm"):
            if added is not None:
                added.add_(qkv)
                added = None
            query.copy_(rms_norm(attention.q_norm, query))
            key.copy_(rms_norm(attention.k_norm, key))
        step = STEP.get()
        own = None if step.memory is None else step.memory[self._number]
        self._ops.rotate_and_store(
            qkv,
            cos,
            sin,
            (num_queries, num_keys),
            added,
            own,
            step.layout.slots,
            step.layout.positions,
        )
        scale, window = attention.scaling, self._window
        return attend_stored(step.layout, own, query, key, value, scale, window)


def rms_norm(module: Any, x: Tensor) -> Tensor:
    """The outputs of a norm of `FAMILIES`, in one kernel."""
    size, epsilon = module.weight.shape, module.variance_epsilon
    out: Tensor = functional.rms_norm(x, size, module.weight, epsilon)
    return out
