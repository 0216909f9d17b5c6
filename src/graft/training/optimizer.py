"""The optimizers that a configuration can name."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from graft.config import TrainConfig


def make_optimizer(config: TrainConfig, weights: list[Tensor]) -> Any:
    """The optimizer over the trained weights. Its rate is set at each step."""
    decay = config.weight_decay
    if config.optimizer == "adamw_torch_fused":
        return torch.optim.AdamW(weights, weight_decay=decay, fused=True)
    import bitsandbytes

    kinds: dict[str, Callable[..., Any]] = {
        "adamw_8bit": bitsandbytes.optim.AdamW8bit,
        "paged_adamw_8bit": bitsandbytes.optim.PagedAdamW8bit,
    }
    return kinds[config.optimizer](weights, weight_decay=decay)
