"""Turning dropout off without switching to evaluation mode."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch


@contextmanager
def without_dropout(model: Any) -> Iterator[None]:
    """Turn the model's dropout off, and restore it afterwards.

    `model.eval()` would do more: on a CPU, bitsandbytes 0.50 may then repack 4-bit
    weights in a layout for inference, through which gradients are wrong.
    """
    active = [
        module
        for module in model.modules()
        if isinstance(module, torch.nn.Dropout) and module.training
    ]
    for module in active:
        module.training = False
    try:
        yield
    finally:
        for module in active:
            module.training = True
