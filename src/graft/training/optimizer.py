"""The optimizers that can be configured."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from graft.config import TrainConfig


def make_optimizer(config: TrainConfig, weights: list[Tensor]) -> Any:
    """The optimizer of the trained weights. The loop sets its learning rate.

    Weight decay applies to matrices only, not to norms and biases.
    """
    decays = {True: config.weight_decay, False: 0.0}
    parts = {of: [w for w in weights if (w.ndim > 1) is of] for of in decays}
    groups = [
        {"params": part, "weight_decay": decays[of]}
        for of, part in parts.items()
        if part
    ]
    if config.optimizer == "adamw_torch_fused":
        return torch.optim.AdamW(groups, fused=True)
    import bitsandbytes

    kinds: dict[str, Callable[..., Any]] = {
        "adamw_8bit": bitsandbytes.optim.AdamW8bit,
        "paged_adamw_8bit": bitsandbytes.optim.PagedAdamW8bit,
    }
    return kinds[config.optimizer](groups)
