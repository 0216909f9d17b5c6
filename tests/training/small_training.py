"""Random documents for a small model, and a log that can raise."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from graft.training.batches import PackedDocuments
from graft.training.loop import Loop


class Killed(Exception):
    """Simulates that the process is killed."""


class Log:
    """Records metrics; raises `Killed` at a given step."""

    def __init__(self, dies_at: int | None = None) -> None:
        self.seen: list[tuple[int | None, Mapping[str, float]]] = []
        self._dies_at = dies_at

    def log_metrics(
        self, metrics: Mapping[str, float], step: int | None = None
    ) -> None:
        if step == self._dies_at:
            raise Killed
        self.seen.append((step, metrics))


def make_documents(
    count: int, seed: int = 0, length: int = 64, packing: bool = True
) -> PackedDocuments:
    """Random documents of 4 to 19 tokens, of which the second half carries loss."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(4, 20, count)
    starts = np.cumsum([0, *lengths], dtype=np.int64)
    loss_mask = np.zeros(starts[-1], dtype=np.bool_)
    for start, size in zip(starts, lengths):
        loss_mask[start + size // 2 : start + size] = True
    tokens = rng.integers(3, 128, starts[-1])
    names = [f"example-{number}" for number in range(count)]
    return PackedDocuments(tokens, loss_mask, starts, names, length, packing)


def layer_of(loop: Loop, number: int = 0) -> Any:
    """A decoder layer of the trained model."""
    model = loop.model
    base = model.get_base_model() if hasattr(model, "peft_config") else model
    return base.model.layers[number]


def bf16(params: Any, method: str = "nf4") -> Any:
    """The section quantization with computation in bfloat16."""
    values = {"method": method, "compute_dtype": "bfloat16"}
    return params.quantization.model_copy(update=values)
