"""A model of which all weights are trained: made ready, written, read back."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from graft import io
from graft.config import FullConfig
from graft.models.adapter_record import RECORD
from graft.training.base import load_model
from graft.training.layers import check_freezable, first_layers_pattern
from graft.training.saving import atomic_weights

_WEIGHTS = "model*.safetensors"


def unfreeze(base: Any, adapter: FullConfig, *, checkpointing: bool) -> Any:
    """The base with its weights to be trained, in float32, but for the first layers.

    An update of a bfloat16 weight is often smaller than its last bit. Frozen weights
    stay as they are stored. `checkpointing`: whether transformers computes each layer
    again on the way back.
    Raises: ModelError if the base has no more layers than are to be frozen.
    """
    first = adapter.freeze_layers
    check_freezable(base, first)
    names = full_names(base, adapter)
    for name, weight in base.named_parameters():
        if name in names:
            weight.data = weight.data.float()
            weight.requires_grad_(True)
    if checkpointing:
        base.activation_checkpointing_enable({"use_reentrant": False})
    return base


def full_names(base: Any, adapter: FullConfig) -> frozenset[str]:
    """Names of the weights that are trained. Below frozen layers the embedding is
    frozen too, if it is not the output layer's as well."""
    first = adapter.freeze_layers
    if not first:
        return frozenset(name for name, _ in base.named_parameters())
    frozen = re.compile(first_layers_pattern(first))
    table = base.get_input_embeddings().weight
    is_tied = base.get_output_embeddings().weight is table
    return frozenset(
        name
        for name, weight in base.named_parameters()
        if not frozen.fullmatch(name) and (weight is not table or is_tied)
    )


def save_full_model(
    model: Any, out: Path, facts: Mapping[str, Any], dtype: torch.dtype
) -> None:
    """Write weights and config.json, with the facts, as a folder that appears whole.

    Args:
        dtype: of the written weights; the model's own change to it.
    """
    for weight in model.parameters():
        weight.data = weight.data.to(dtype)
    model.config.use_cache = True  # off while training
    with atomic_weights(out) as partial:
        model.save_pretrained(partial)
        io.write_json(partial / RECORD, facts)


def is_full_model(folder: Path) -> bool:
    """Whether a folder holds a model of its own, not an adapter."""
    return any(folder.glob(_WEIGHTS))


def load_full_model(folder: Path, device: str) -> Any:
    """A model of `save_full_model`, for inference. Raises: ModelError if it is not whole."""
    dtype = io.read_json(folder / "config.json").get("dtype", "float32")
    return load_model(str(folder), None, None, device, dtype).eval()
