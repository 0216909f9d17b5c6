"""Fine-tuning by either method: LoRA adapters, or all weights."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from graft.config import (
    AdapterConfig,
    FullConfig,
    LoraConfig,
    ModelConfig,
    QuantizationConfig,
    TrainConfig,
)
from graft.training.adapter import (
    attach_adapter,
    check_targets,
    load_adapter,
    save_adapter,
)
from graft.training.base import load_base
from graft.training.full_finetuning import (
    full_names,
    is_full_model,
    load_full_model,
    save_full_model,
    unfreeze,
)


def tune(
    base: Any, adapter: AdapterConfig, train: TrainConfig, *, checkpointing: bool
) -> Any:
    """The base with trainable weights: a new adapter, or its own weights."""
    if isinstance(adapter, FullConfig):
        return unfreeze(base, adapter, checkpointing=checkpointing)
    assert isinstance(adapter, LoraConfig)
    return attach_adapter(base, adapter, train, checkpointing=checkpointing)


def trained_names(model: Any, adapter: AdapterConfig) -> frozenset[str]:
    """Names of the weights that the configuration trains, independent of what
    `requires_grad` is.

    Args:
        model: returned by `tune`.
    Raises: ModelError if a linear layer that should have an adapter has none.
    """
    if isinstance(adapter, FullConfig):
        return full_names(model, adapter)
    assert isinstance(adapter, LoraConfig)
    check_targets(model, adapter)
    return frozenset(name for name, _ in model.named_parameters() if ".lora_" in name)


def save_tuned(
    model: Any, out: Path, facts: Mapping[str, Any], stored: ModelConfig
) -> None:
    """Write the adapter, or the full model in the dtype of its base."""
    if hasattr(model, "peft_config"):
        save_adapter(model, out, facts)
    else:
        save_full_model(model, out, facts, getattr(torch, stored.dtype))


def load_tuned(base: Any, folder: Path) -> Any:
    """The tuned model, for inference. The base becomes part of it, or is freed.

    Raises: ModelError if the folder has neither an adapter of this base nor a model.
    """
    if not is_full_model(folder):
        return load_adapter(base, folder)
    device = str(base.device)
    base.to("meta")  # frees its memory
    return load_full_model(folder, device)


def load_served(
    model: ModelConfig, quantization: QuantizationConfig, device: str, folder: Path
) -> Any:
    """The tuned model, for inference; the base is loaded only for an adapter."""
    if is_full_model(folder):
        return load_full_model(folder, device)
    return load_adapter(load_base(model, quantization, device), folder)
