"""Likelihood of the references under a model, with teacher forcing."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional
from tqdm import tqdm

TOKENS_AT_ONCE = 4096
"""Tokens per forward pass, including padding; the logits of 4,096 tokens over a
vocabulary of 152,000 take 2.5 GB in float32."""

Tokens = tuple[Sequence[int], Sequence[bool]]
"""Ids of a sequence and its loss mask, both of shape [tokens]."""


def count_trained_tokens(sequence: Tokens) -> int:
    """Trained tokens with a probability: all except the first token of the sequence."""
    return sum(sequence[1][1:])


def negative_log_likelihoods(
    model: Any, sequences: Sequence[Tokens], title: str = "likelihood"
) -> npt.NDArray[np.float64]:
    """Sum over each sequence's trained tokens, in nats. Shape [sequences].

    Args:
        model: a causal language model.
        sequences: ids and loss masks.
        title: of the progress bar.
    """
    model.eval()
    found = np.zeros(len(sequences))
    order = sorted(range(len(sequences)), key=lambda row: -len(sequences[row][0]))
    with tqdm(total=len(order), desc=title, unit="text", disable=None) as progress:
        while order:
            longest = len(sequences[order[0]][0])
            number = max(1, TOKENS_AT_ONCE // longest)
            rows, order = order[:number], order[number:]
            found[rows] = _batch(model, [sequences[row] for row in rows])
            progress.update(len(rows))
    return found


def _batch(model: Any, batch: Sequence[Tokens]) -> npt.NDArray[np.float64]:
    longest = max(len(ids) for ids, _ in batch)
    ids = torch.zeros(len(batch), longest, dtype=torch.long)
    loss_mask = torch.zeros(len(batch), longest, dtype=torch.bool)
    mask = torch.zeros(len(batch), longest, dtype=torch.long)
    for row, (tokens, marks) in enumerate(batch):
        ids[row, : len(tokens)] = torch.tensor(tokens)
        loss_mask[row, : len(tokens)] = torch.tensor(marks)
        mask[row, : len(tokens)] = 1
    ids, loss_mask, mask = (t.to(model.device) for t in (ids, loss_mask, mask))
    with torch.inference_mode():
        logits = model(input_ids=ids, attention_mask=mask, use_cache=False).logits
        losses = [
            functional.cross_entropy(
                logits[row, :-1][loss_mask[row, 1:]].float(),  # [trained, vocab]
                ids[row, 1:][loss_mask[row, 1:]],
                reduction="sum",
            )
            for row in range(len(batch))
        ]
    return np.asarray(torch.stack(losses).double().cpu())
