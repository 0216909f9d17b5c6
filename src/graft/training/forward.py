"""From a micro-batch to its loss: by fused layers where they can, else plainly."""

from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from graft.config import AdapterConfig, TrainConfig
from graft.errors import ModelError
from graft.planning.shapes import obstacle
from graft.training.adapter import attach_adapter
from graft.training.batches import MicroBatch
from graft.training.fused.install import install
from graft.training.fused.layer import Keep
from graft.training.fused.loss import Head, head_loss
from graft.training.fused.shelf import Shelf
from graft.training.parallel import Group

Forward = Callable[[MicroBatch], Tensor]
"""The weighed sum of the learned tokens' negative log-likelihoods, in nats."""


_KEEP: dict[bool | str, Keep] = {
    False: "all",
    "selective": "attention",
    True: "input",
    "offload": "input",
}


def prepare(
    base: Any,
    adapter: AdapterConfig,
    train: TrainConfig,
    dtype: torch.dtype,
    group: Group = Group(),
) -> tuple[Any, Forward]:
    """A base with a new adapter, and how its loss is computed.

    Args:
        base: of `load_base`, with packed attention.
        dtype: of matrix products; weights that are trained stay float32.
        group: the processes that train together.
    On a CPU they are fused only where that is asked for: it gains nothing there.
    Raises: ModelError if `train.kernels` is fused and this base cannot be.
    """
    names = [str(kind).removeprefix("torch.") for kind in (base.dtype, dtype)]
    problem = obstacle(base.config.to_dict(), adapter, *names) or lacking(
        base.device.type
    )
    if train.kernels == "fused" and problem:
        raise _refused("train.kernels=fused", problem, "train.kernels: auto")
    on_cuda, keep = base.device.type == "cuda", train.gradient_checkpointing
    wanted = train.kernels == "fused" or (train.kernels == "auto" and on_cuda)
    fused = wanted and not problem
    if not (fused and on_cuda) and (
        keep == "offload" or (keep == "selective" and not fused)
    ):
        why = "train.kernels is plain" if train.kernels == "plain" else problem
        where = f"train.gradient_checkpointing={keep}"
        instead = "train.gradient_checkpointing: true"
        raise _refused(where, why or "not on CUDA", instead)
    packed = any(hasattr(weight, "quant_state") for weight in base.parameters())
    if train.shard_base and not (fused and packed):
        why = problem or ("the base is not in 4 bits" if not packed else "not on CUDA")
        raise _refused("train.shard_base", why, "train.shard_base: false")
    tuned = attach_adapter(base, adapter, train, checkpointing=bool(keep) and not fused)
    if not fused:
        return tuned, partial(plain_loss, tuned, dtype)
    ops = load_ops(on_cuda)
    shelf = Shelf(base.device) if keep == "offload" else None
    dealt = group if train.shard_base and group.size > 1 else None
    install(tuned, dtype, _KEEP[keep], ops, shelf, dealt)
    return tuned, partial(fused_loss, tuned, ops)


def _refused(where: str, problem: str, instead: str) -> ModelError:
    return ModelError(
        where,
        f"needs fused layers, which cannot be had: {problem}",
        expected="what docs/TRAINING.md lists",
        fix=f"set {instead} in configs/train",
    )


def lacking(device: str) -> str:
    """What is not installed that fused layers need there; empty if nothing."""
    lacks = device.startswith("cuda") and find_spec("triton") is None
    return "Triton is not installed" if lacks else ""


def load_ops(on_cuda: bool) -> ModuleType:
    """The functions of fused layers: Triton's kernels, or the same in plain torch."""
    if on_cuda:
        from graft.training.fused import kernels

        return kernels
    from graft.training.fused import plain

    return plain


def plain_loss(model: Any, dtype: torch.dtype, batch: MicroBatch) -> Tensor:
    """Through the modules of transformers and PEFT."""
    device = model.device.type
    with torch.autocast(device, dtype, dtype != torch.float32):
        out = model(
            input_ids=batch.input_ids,
            position_ids=batch.position_ids,
            documents=batch.documents,
            use_cache=False,
            # The output layer sees only positions that carry loss.
            logits_to_keep=batch.predicts,
        )
    logits = out.logits[0].float()  # [learned, vocab]
    if batch.weights is None:
        return functional.cross_entropy(logits, batch.targets, reduction="sum")
    losses = functional.cross_entropy(logits, batch.targets, reduction="none")
    return losses @ batch.weights


def fused_loss(model: Any, ops: ModuleType, batch: MicroBatch) -> Tensor:
    """Through layers that `install` has put in their place."""
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
