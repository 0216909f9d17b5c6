"""The optimizers that can be configured, and the learning rate."""

import math
from collections.abc import Callable
from typing import Any, Literal

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


def learning_rate(
    step: int,
    num_steps: int,
    peak: float,
    warmup_ratio: float,
    shape: Literal["cosine", "linear", "constant"],
) -> float:
    """The learning rate of a step, counted from 0: linear warmup to `peak`, then decay
    to 0 at `num_steps`, or a constant rate.

    Source: Loshchilov and Hutter 2017, arXiv:1608.03983 (cosine, without restarts).
    """
    warmup = math.ceil(warmup_ratio * num_steps)
    if step < warmup:
        return peak * (step + 1) / (warmup + 1)
    if shape == "constant":
        return peak
    done = (step - warmup) / max(1, num_steps - warmup)
    if shape == "linear":
        return peak * (1 - done)
    return peak * (1 + math.cos(math.pi * done)) / 2
