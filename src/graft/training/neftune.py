"""NEFTune: uniform noise on the embeddings during training.

Source: Jain et al. 2023, arXiv:2310.05914.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor


@contextmanager
def added_noise(
    embedding: torch.nn.Module, starts: Tensor, alpha: float | None
) -> Iterator[None]:
    """Add noise to the output of `embedding`; without `alpha`, none. It is drawn from
    torch's default generator. `starts`: as in `draw_noise`."""

    def add(module: Any, given: Any, found: Tensor) -> Tensor:
        del module, given
        return found if alpha is None else found + draw_noise(found, starts, alpha)

    with embedding.register_forward_hook(add):
        yield


def draw_noise(states: Tensor, starts: Tensor, alpha: float) -> Tensor:
    """Noise that is uniform within ± alpha / sqrt(length · features), where length is
    that of the token's document. Shape as `states`.

    Args:
        states: [1, tokens, features].
        starts: where documents begin, and the end. [documents + 1].
    """
    lengths = starts.diff()
    bounds = alpha / (lengths * states.shape[-1]).sqrt()  # [documents]
    each = bounds.repeat_interleave(lengths)[None, :, None]
    drawn = torch.rand(states.shape, device=states.device) * 2 - 1
    return (drawn * each).to(states.dtype)
