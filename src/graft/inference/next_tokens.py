"""Distributions of next tokens along given texts."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from graft.inference.families import is_supported
from graft.inference.slots import runner_of


def next_token_logprobs(
    model: Any,
    sequences: Sequence[Sequence[int]],
    starts: Sequence[int],
    adapter: str | None,
) -> list[npt.NDArray[np.float32]]:
    """Log-probabilities of the tokens from `start` on, of each sequence.

    Computed as the engine computes likelihoods where the model has slots, else by
    transformers.

    Args:
        model: a causal language model.
        sequences: token ids.
        starts: places of the first predicted tokens, at least 1.
        adapter: the adapter that is on; None: the base alone.
    Returns: for each sequence, shape [tokens from start on, vocabulary].
    """
    model.eval()
    with torch.inference_mode():
        if not is_supported(model):
            return plain_logprobs(model, sequences, starts)
        runner, found = runner_of(model, 1, 1), []
        with runner.session(model):
            for ids, start in zip(sequences, starts, strict=True):
                kept = torch.arange(start - 1, len(ids) - 1, device=runner.device)
                found.append(_to_numpy(runner.score([ids], adapter, kept)))
    return found


def plain_logprobs(
    model: Any, sequences: Sequence[Sequence[int]], starts: Sequence[int]
) -> list[npt.NDArray[np.float32]]:
    """The same by the model's own forward pass."""
    model.eval()
    found = []
    with torch.inference_mode():
        for ids, start in zip(sequences, starts, strict=True):
            tokens = torch.tensor([list(ids)], device=model.device)
            logits = model(input_ids=tokens, use_cache=False).logits[0, start - 1 : -1]
            found.append(_to_numpy(logits))
    return found


def _to_numpy(logits: torch.Tensor) -> npt.NDArray[np.float32]:
    found: npt.NDArray[np.float32] = logits.float().log_softmax(-1).cpu().numpy()
    return found
