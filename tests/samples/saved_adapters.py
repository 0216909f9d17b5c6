"""Random adapters on disk, as PEFT saves them."""

import copy
import warnings
from pathlib import Path
from typing import Any

import peft
import torch


def save_adapter(model: Any, folder: Path, seed: int, **changes: Any) -> Path:
    """Write a random adapter of the model to a folder; returns the folder.

    Args:
        changes: of PEFT's LoraConfig.
    """
    values = {"r": 2, "target_modules": ["v_proj", "down_proj"]} | changes
    torch.manual_seed(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tuned = peft.get_peft_model(copy.deepcopy(model), peft.LoraConfig(**values))
        for name, weight in tuned.named_parameters():
            if "lora_B" in name:
                weight.data.normal_(std=1.0)
        tuned.save_pretrained(folder)
    return folder
