"""Likelihood of the references under a model, with teacher forcing."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from graft.errors import HardwareError
from graft.inference.families import is_supported
from graft.inference.slots import runner_of

TOKENS_AT_ONCE = 8192
"""Tokens per forward pass."""
LOGITS_AT_ONCE = 2**28
"""Logits per forward pass: 1 GiB in float32."""

Tokens = tuple[Sequence[int], Sequence[bool]]
"""Ids of a sequence and its loss mask, both of shape [tokens]."""
Score = Callable[[Sequence[Tokens]], Tensor]
"""Sequences → logits for each trained token of each, [trained tokens, vocab]."""


def count_trained_tokens(sequence: Tokens) -> int:
    """Trained tokens with a probability: all except the first token of the sequence."""
    return sum(sequence[1][1:])


def negative_log_likelihoods(
    model: Any, sequences: Sequence[Tokens], adapter: str | None
) -> npt.NDArray[np.float64]:
    """Sum over each sequence's trained tokens, in nats. Shape [sequences].

    Sequences are packed without padding where the model's attention allows it.

    Args:
        model: a causal language model.
        sequences: ids and loss masks.
        adapter: the adapter that is on; None: the base alone.
    Raises: HardwareError if a single sequence does not fit the memory.
    """
    found = np.zeros(len(sequences))
    order = sorted(range(len(sequences)), key=lambda row: -len(sequences[row][0]))
    most = TOKENS_AT_ONCE
    with _scorer(model, adapter) as score:
        while order:
            number = _that_fit(
                [sequences[row] for row in order], most, model.config.vocab_size
            )
            rows = order[:number]
            try:
                found[rows] = _losses(score, [sequences[row] for row in rows])
            except torch.OutOfMemoryError as error:
                if number == 1:
                    raise HardwareError(
                        str(model.device),
                        f"out of memory with a text of {len(sequences[rows[0]][0])} "
                        "tokens",
                        fix="lower tokenize.max_seq_len",
                    ) from error
                most //= 2
                continue
            order = order[number:]
    return found


def _that_fit(sequences: Sequence[Tokens], most: int, vocabulary: int) -> int:
    """How many of the first sequences are computed at once; at least one."""
    tokens = trained = 0
    for number, sequence in enumerate(sequences):
        tokens += len(sequence[0])
        trained += count_trained_tokens(sequence)
        if number and (tokens > most or trained * vocabulary > LOGITS_AT_ONCE):
            return number
    return len(sequences)


def _losses(score: Score, sequences: Sequence[Tokens]) -> npt.NDArray[np.float64]:
    """The sum of each sequence's losses."""
    with torch.inference_mode():
        logits = score(sequences)
        targets = [
            token
            for ids, trained in sequences
            for token, counts in zip(ids[1:], trained[1:])
            if counts
        ]
        losses = functional.cross_entropy(
            logits.float(),
            torch.tensor(targets, device=logits.device),
            reduction="none",
        )
    ends = np.cumsum([count_trained_tokens(sequence) for sequence in sequences])
    parts = np.split(np.asarray(losses.double().cpu()), ends[:-1])
    return np.array([part.sum() for part in parts])


@contextmanager
def _scorer(model: Any, adapter: str | None) -> Iterator[Score]:
    """How this model computes logits."""
    model.eval()
    if not is_supported(model):
        yield lambda sequences: _score_padded(model, sequences)
        return
    runner = runner_of(model, 1, 1)

    def score(sequences: Sequence[Tokens]) -> Tensor:
        trained = [mark for _, marks in sequences for mark in [*marks[1:], False]]
        kept = torch.tensor(trained, device=runner.device).nonzero()[:, 0]
        return runner.score([ids for ids, _ in sequences], adapter, kept)

    with runner.session(model):
        yield score


def _score_padded(model: Any, sequences: Sequence[Tokens]) -> Tensor:
    longest = max(len(ids) for ids, _ in sequences)
    ids = torch.zeros(len(sequences), longest, dtype=torch.long)
    mask, trained = torch.zeros_like(ids), torch.zeros_like(ids, dtype=torch.bool)
    for row, (tokens, marks) in enumerate(sequences):
        ids[row, : len(tokens)] = torch.tensor(tokens)
        mask[row, : len(tokens)] = 1
        trained[row, : len(marks) - 1] = torch.tensor(marks[1:])
    ids, mask, trained = (states.to(model.device) for states in (ids, mask, trained))
    logits: Tensor = model(input_ids=ids, attention_mask=mask, use_cache=False).logits
    return logits[trained]
