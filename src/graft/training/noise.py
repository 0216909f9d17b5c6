"""NEFTune: uniform noise on what is read, while training.

Source: Jain et al. 2023, arXiv:2310.05914.
"""

from typing import Any

import torch
from torch import Tensor

from graft.training.batches import MicroBatch
from graft.training.losses import Forward


def with_noise(forward: Forward, embedding: torch.nn.Module, alpha: float) -> Forward:
    """The same loss with noise on the outcome of `embedding`, where gradients are
    wanted: not in validation. It is drawn by torch's own generator."""

    def noisy(batch: MicroBatch) -> Tensor:
        def add(module: Any, given: Any, found: Tensor) -> Tensor:
            del module, given
            return found + noise(found, batch.documents.starts, alpha)

        if not torch.is_grad_enabled():
            return forward(batch)
        with embedding.register_forward_hook(add):
            return forward(batch)

    return noisy


def noise(states: Tensor, starts: Tensor, alpha: float) -> Tensor:
    """Uniform between ± alpha / sqrt(length · features), of each document's length.

    Args:
        states: [1, tokens, features].
        starts: where documents begin, and the end. [documents + 1].
    """
    lengths = starts.diff()
    bounds = alpha / (lengths * states.shape[-1]).sqrt()  # [documents]
    each = bounds.repeat_interleave(lengths)[None, :, None]
    drawn = torch.rand(states.shape, device=states.device) * 2 - 1
    return (drawn * each).to(states.dtype)
