"""What is trained of a base, by either method: adapters, or all weights."""

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
    """The base with trained weights: a new adapter, or its own."""
    if isinstance(adapter, FullConfig):
        return unfreeze(base, adapter, checkpointing=checkpointing)
    assert isinstance(adapter, LoraConfig)
    return attach_adapter(base, adapter, train, checkpointing=checkpointing)


def trained_names(model: Any, adapter: AdapterConfig) -> frozenset[str]:
    """Names of the weights that a configuration trains, whatever is frozen now.

    Args:
        model: of `tune`.
    Raises: ModelError if a linear layer that `all-linear` means has no adapter.
    """
    if isinstance(adapter, FullConfig):
        return full_names(model, adapter)
    assert isinstance(adapter, LoraConfig)
    check_targets(model, adapter)
    return frozenset(name for name, _ in model.named_parameters() if ".lora_" in name)


def save_tuned(
    model: Any, out: Path, facts: Mapping[str, Any], stored: ModelConfig
) -> None:
    """Write what was trained; a whole model in the type that its base is stored in."""
    if hasattr(model, "peft_config"):
        save_adapter(model, out, facts)
    else:
        save_full_model(model, out, facts, getattr(torch, stored.dtype))


def load_tuned(base: Any, folder: Path) -> Any:
    """The tuned model, for inference. The base becomes it, or is given up for it.

    Raises: ModelError if the folder holds neither adapter nor model, or none of this
        base.
    """
    if not is_full_model(folder):
        return load_adapter(base, folder)
    device = str(base.device)
    base.to("meta")  # frees its memory
    return load_full_model(folder, device)


def load_served(
    model: ModelConfig, quantization: QuantizationConfig, device: str, folder: Path
) -> Any:
    """The same from nothing: the base is loaded where it is needed."""
    if is_full_model(folder):
        return load_full_model(folder, device)
    return load_adapter(load_base(model, quantization, device), folder)
