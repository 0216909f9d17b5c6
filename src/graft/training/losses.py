"""The loss of a micro-batch, through fused or plain layers."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from graft.training.batches import MicroBatch
from graft.training.fused.loss import Head, head_loss

Forward = Callable[[MicroBatch], Tensor]
"""The weighted sum of the trained tokens' negative log-likelihoods, in nats."""


def plain_loss(model: Any, dtype: torch.dtype, batch: MicroBatch) -> Tensor:
    """The loss through the modules of transformers and PEFT."""
    device = model.device.type
    with torch.autocast(device, dtype, dtype != torch.float32):
        out = model(
            input_ids=batch.input_ids,
            position_ids=batch.position_ids,
            documents=batch.documents,
            use_cache=False,
            # The output layer computes only positions that carry loss.
            logits_to_keep=batch.predicts,
        )
    logits = out.logits[0].float()  # [trained, vocab]
    if batch.weights is None:
        return functional.cross_entropy(logits, batch.targets, reduction="sum")
    losses = functional.cross_entropy(logits, batch.targets, reduction="none")
    return losses @ batch.weights


def fused_loss(model: Any, ops: ModuleType, batch: MicroBatch) -> Tensor:
    """The loss through fused layers, as `install` sets them up."""
    base = model.get_base_model()
    hidden = base.model(
        input_ids=batch.input_ids,
        position_ids=batch.position_ids,
        documents=batch.documents,
        use_cache=False,
    ).last_hidden_state[0]
    norm = base.model.norm
    head = Head(norm.weight, norm.variance_epsilon, base.lm_head.weight)
    return head_loss(hidden, head, batch.predicts, batch.targets, batch.weights, ops)
