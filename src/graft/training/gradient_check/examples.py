"""The examples of the check, built independently of the code that makes batches."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from graft.errors import ModelError
from graft.training.batches import MicroBatch, PackedDocuments

MOST_TOKENS = 2048
"""Tokens of the compared examples; one longer sequence is used whole."""


@dataclass(frozen=True)
class Examples:
    """Concatenated documents, and where they carry loss.

    Attributes:
        packs: the sequences that they are from.
        lengths: tokens of each document.
        tokens: shape [tokens].
        predicts: positions whose next token carries loss. [trained].
        targets: those next tokens. [trained].
        weights: of each in the loss. [trained].
    """

    packs: list[int]
    lengths: list[int]
    tokens: Tensor
    predicts: Tensor
    targets: Tensor
    weights: Tensor

    def check(self, batch: MicroBatch, where: str) -> None:
        """Raises: ModelError if a micro-batch of these sequences differs from them."""
        positions = torch.cat([torch.arange(length) for length in self.lengths])
        found = {
            "tokens": (batch.input_ids[0], self.tokens),
            "positions": (batch.position_ids[0], positions),
            "positions that carry loss": (batch.predicts, self.predicts),
            "targets": (batch.targets, self.targets),
        }
        for name, (own, right) in found.items():
            if not torch.equal(own.cpu(), right):
                raise ModelError(
                    where,
                    f"a micro-batch has other {name} than the tokenized examples",
                    expected="each token of the loss mask predicted from the one "
                    "before it in its document",
                    fix="this is a bug in graft: please report it with your params",
                )


def choose_examples(documents: PackedDocuments, packs: Sequence[int]) -> Examples:
    """The first sequences: about 2,000 tokens, and two documents if there are two."""
    chosen: list[int] = []
    tokens = members = 0
    for pack in packs:
        held = documents.packs[pack]
        tokens += sum(documents.lengths[d] for d in held)
        if chosen and tokens > MOST_TOKENS and members > 1:
            break
        members += len(held)
        chosen.append(int(pack))
    order = [d for pack in chosen for d in documents.packs[pack]]
    starts = [int(documents.starts[d]) for d in order]
    lengths = [documents.lengths[d] for d in order]
    ids: list[int] = []
    predicts: list[int] = []
    targets: list[int] = []
    weights: list[float] = []
    for document, start, length in zip(order, starts, lengths):
        own = documents.tokens[start : start + length].tolist()
        marks = documents.loss_mask[start : start + length].tolist()
        weight = 1.0 if documents.weights is None else documents.weights[document]
        for place in range(1, length):
            if marks[place]:
                predicts.append(len(ids) + place - 1)
                targets.append(own[place])
                weights.append(float(weight))
        ids += own
    return Examples(
        chosen,
        lengths,
        torch.tensor(ids),
        torch.tensor(predicts, dtype=torch.int64),
        torch.tensor(targets, dtype=torch.int64),
        torch.from_numpy(np.array(weights, dtype=np.float32)),
    )
