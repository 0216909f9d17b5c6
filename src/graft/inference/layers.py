"""Decoder layers of the Llama structure in few kernels, for inference."""

from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

from torch import Tensor
from torch.nn import functional

from graft.inference.adapters import AdaptedLinear
from graft.inference.attention import attend

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
        ops: `graft.kernels.cuda` or `.plain`.
    """

    def __init__(self, layer: Any, join: Join, ops: ModuleType) -> None:
        attention, mlp = layer.self_attn, layer.mlp
        self._layer, self._ops, self._number = layer, ops, attention.layer_idx
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
        layer, attention = self._layer, self._layer.self_attn
        qkv = self._qkv(rms_norm(layer.input_layernorm, x))
        size = cos.shape[1]
        heads = qkv.view(len(x), -1, size)  # queries, keys, values
        num_keys = attention.k_proj.out_features // size
        num_queries = heads.shape[1] - 2 * num_keys
        query, key, value = heads.split([num_queries, num_keys, num_keys], dim=1)
        if hasattr(attention, "q_norm"):
            query.copy_(rms_norm(attention.q_norm, query))
            key.copy_(rms_norm(attention.k_norm, key))
        self._ops.rotate_(qkv, cos, sin, num_queries + num_keys)
        found = attend(self._number, query, key, value, attention.scaling, self._window)
        x = self._output(found.flatten(1), x)
        inner = self._gate_up(rms_norm(layer.post_attention_layernorm, x))
        return self._down(self._ops.swiglu(inner), x).view(hidden_states.shape)


def rms_norm(module: Any, x: Tensor) -> Tensor:
    """The outputs of a norm of `FAMILIES`, in one kernel."""
    size, epsilon = module.weight.shape, module.variance_epsilon
    out: Tensor = functional.rms_norm(x, size, module.weight, epsilon)
    return out
