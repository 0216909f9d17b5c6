"""A model that takes the place of a language model in the loop."""

from contextlib import nullcontext
from typing import Any

import torch
from torch.nn import functional

from graft.training.batches import MicroBatch


class Small(torch.nn.Module):  # pylint: disable=abstract-method
    """Predicts the next token from the current one."""

    device = torch.device("cpu")

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.embedding = torch.nn.Embedding(128, 16)
        self.out = torch.nn.Linear(16, 128)

    def get_input_embeddings(self) -> torch.nn.Module:
        return self.embedding

    def loss(self, batch: MicroBatch) -> torch.Tensor:
        logits = self.out(self.embedding(batch.input_ids))[0, batch.predicts]
        return functional.cross_entropy(logits, batch.targets, reduction="sum")


class Unchecked:
    """In place of the check of gradients, which needs a language model."""

    def __init__(self, *_: Any) -> None:
        pass

    def begin(self) -> None:
        pass

    def after_validation(self, step: int) -> None:
        pass

    def watch_update(self) -> Any:
        return nullcontext()
