"""Full fine-tuning: unfreezing, saving and loading a model without an adapter."""

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
    """Make the base trainable, apart from its first `adapter.freeze_layers` layers.

    Trained weights become float32, because an update of a bfloat16 weight is often
    smaller than its last bit. Frozen weights keep their dtype. `checkpointing`: use
    transformers' gradient checkpointing.
    Raises: ModelError if no layer would be left to train.
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
    """Names of the trained weights. With frozen layers the embedding is frozen too,
    unless it is tied to the output layer."""
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
    """Write weights, config.json and the record as one atomic folder.

    Args:
        dtype: of the written weights; the model is converted to it in place.
    """
    for weight in model.parameters():
        weight.data = weight.data.to(dtype)
    model.config.use_cache = True  # off while training
    with atomic_weights(out) as partial:
        model.save_pretrained(partial)
        io.write_json(partial / RECORD, facts)


def is_full_model(folder: Path) -> bool:
    """Whether a folder contains a full model, not an adapter."""
    return any(folder.glob(_WEIGHTS))


def load_full_model(folder: Path, device: str) -> Any:
    """A model of `save_full_model`, for inference.

    Raises: ModelError if it cannot be loaded, or weights are missing.
    """
    dtype = io.read_json(folder / "config.json").get("dtype", "float32")
    return load_model(str(folder), None, None, device, dtype).eval()
