"""Check that training fits this machine's GPU, before any weight is loaded."""

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from graft.config import AdapterConfig, QuantizationConfig, TrainConfig
from graft.errors import HardwareError
from graft.hardware.gpus import find_gpu
from graft.hardware.machine import available_gib
from graft.planning.choice import find_fit, needed_gib, with_train
from graft.planning.memory import GIB
from graft.planning.setup import BatchShape, Setup, to_setup
from graft.planning.shapes import FAMILIES
from graft.planning.speed import MfuReference
from graft.training.batches import PackedDocuments
from graft.training.forward import missing_dependency
from graft.training.parallel import DataParallelGroup


@dataclass(frozen=True)
class MemoryBudget:
    """Free memory of a device; None for a CPU, which is not checked.
    `host_gib`: a process's share of the host memory (RAM)."""

    device: str
    name: str
    free_gib: float | None
    host_gib: float = math.inf


def probe_memory(group: DataParallelGroup) -> MemoryBudget:
    """The memory that is free now; the minimum over all GPUs, so that all processes
    decide the same."""
    device = group.device
    if not device.startswith("cuda"):
        return MemoryBudget(device, device, None)
    import torch

    free, _ = torch.cuda.mem_get_info(device)
    name = torch.cuda.get_device_name(device)
    here = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    host = group.all_reduce_min(available_gib() / here)
    return MemoryBudget(device, name, group.all_reduce_min(free / GIB), host)


def resolve_checkpointing(
    budget: MemoryBudget,
    config: Mapping[str, Any],
    stored: str,
    sections: tuple[AdapterConfig, QuantizationConfig, TrainConfig],
    documents: PackedDocuments,
) -> TrainConfig:
    """The settings of `train` with `gradient_checkpointing: auto` resolved.

    Args:
        budget: free memory of the device.
        config: the base's config.json. For families without an estimate, auto is true.
        stored: dtype of the base's unquantized weights.
        sections: `adapter`, `quantization`, `train`.
        documents: the training split.
    Raises: HardwareError with what to change, if training does not fit.
    """
    train = sections[-1]
    if budget.free_gib is None:
        return _decided(train, False)
    if config.get("model_type") not in FAMILIES:
        return _decided(train, True)
    lacks = missing_dependency(budget.device)
    setup, _ = to_setup(config, "config.json", stored, sections, lacks)
    batch = to_batch_shape(documents, train.micro_batch_size)
    fit = find_fit(setup, batch, budget.free_gib, budget.host_gib)
    if fit and not fit.changes:
        return fit.setup.train
    configured = with_train(setup, gradient_checkpointing=_checkpointing_of(setup))
    needed = needed_gib(configured, batch)
    raise HardwareError(
        budget.name,
        f"training needs {needed:.1f} GiB, and {budget.free_gib:.1f} are free",
        expected="memory for the base, the adapter and a micro-batch: graft plan",
        fix=(
            f"set {fit}"
            if fit
            else "take a smaller model, a lower "
            "tokenize.max_seq_len, quantization=nf4, or a larger GPU"
        ),
    )


def find_mfu_reference(
    budget: MemoryBudget,
    config: Mapping[str, Any],
    stored: str,
    sections: tuple[AdapterConfig, QuantizationConfig, TrainConfig],
    num_gpus: int,
) -> MfuReference | None:
    """The reference for MFU; None if base or GPU is not supported."""
    card = find_gpu(budget.name, budget.free_gib or 0.0)
    if card is None or config.get("model_type") not in FAMILIES:
        return None
    setup, _ = to_setup(config, "config.json", stored, sections)
    return MfuReference(setup, num_gpus * card.tflops * 1e12)


def _checkpointing_of(setup: Setup) -> bool | str:
    """The configured gradient checkpointing; for auto the one that keeps least."""
    configured = setup.train.gradient_checkpointing
    least = "offload" if setup.fused else True
    return least if configured == "auto" else configured


def to_batch_shape(documents: PackedDocuments, micro_batch_size: int) -> BatchShape:
    """The largest micro-batch of these documents."""
    lengths = np.array(documents.lengths)
    longest = max(int(lengths[pack].sum()) for pack in documents.packs)
    tokens = longest * micro_batch_size
    trained = tokens * documents.num_trained / max(lengths.sum(), 1)
    return BatchShape(tokens, int(trained), float((lengths**2).sum() / lengths.sum()))


def _decided(train: TrainConfig, keep: bool) -> TrainConfig:
    if train.gradient_checkpointing != "auto":
        return train
    return train.model_copy(update={"gradient_checkpointing": keep})
