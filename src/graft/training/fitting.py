"""Whether training fits this machine's GPU: told before any weight is loaded."""

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
from graft.planning.setup import Load, Setup, to_setup
from graft.planning.shapes import FAMILIES
from graft.planning.work import Yardstick
from graft.training.batches import PackedDocuments
from graft.training.forward import lacking
from graft.training.parallel import Group


@dataclass(frozen=True)
class Room:
    """The memory of a device that is free; None: it is no GPU, and not counted.
    `host_gib`: of the machine's memory, a process's share."""

    device: str
    name: str
    free_gib: float | None
    host_gib: float = math.inf


def look_at(group: Group) -> Room:
    """What is free now: of several GPUs the least, so that all decide the same."""
    device = group.device
    if not device.startswith("cuda"):
        return Room(device, device, None)
    import torch

    free, _ = torch.cuda.mem_get_info(device)
    name = torch.cuda.get_device_name(device)
    here = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    host = group.least(available_gib() / here)
    return Room(device, name, group.least(free / GIB), host)


def settle(
    room: Room,
    config: Mapping[str, Any],
    stored: str,
    sections: tuple[AdapterConfig, QuantizationConfig, TrainConfig],
    documents: PackedDocuments,
) -> TrainConfig:
    """The settings of `train` as they can run here, with `auto` decided.

    Args:
        room: the device.
        config: the base's config.json. Of other families than the plan's nothing is
            foretold, and auto is true.
        stored: type of the base's unquantized weights.
        sections: `adapter`, `quantization`, `train`.
        documents: what is trained on.
    Raises: HardwareError with what to change, if they do not fit.
    """
    train = sections[-1]
    if room.free_gib is None:
        return _decided(train, False)
    if config.get("model_type") not in FAMILIES:
        return _decided(train, True)
    lacks = lacking(room.device)
    setup, _ = to_setup(config, "config.json", stored, sections, lacks)
    load = load_of(documents, train.micro_batch_size)
    fit = find_fit(setup, load, room.free_gib, room.host_gib)
    if fit and not fit.changes:
        return fit.setup.train
    needed = needed_gib(with_train(setup, gradient_checkpointing=_asked(setup)), load)
    raise HardwareError(
        room.name,
        f"training needs {needed:.1f} GiB, and {room.free_gib:.1f} are free",
        expected="room for the base, the adapter and a micro-batch: graft plan",
        fix=(
            f"set {fit}"
            if fit
            else "take a smaller model, a lower "
            "tokenize.max_seq_len, quantization=nf4, or a larger GPU"
        ),
    )


def find_yardstick(
    room: Room,
    config: Mapping[str, Any],
    stored: str,
    sections: tuple[AdapterConfig, QuantizationConfig, TrainConfig],
    num_gpus: int,
) -> Yardstick | None:
    """What the speed is held against; None if base or GPU is not one that is known."""
    card = find_gpu(room.name, room.free_gib or 0.0)
    if card is None or config.get("model_type") not in FAMILIES:
        return None
    setup, _ = to_setup(config, "config.json", stored, sections)
    return Yardstick(setup, num_gpus * card.tflops * 1e12)


def _asked(setup: Setup) -> bool | str:
    """What is kept as asked for; of auto the least."""
    asked = setup.train.gradient_checkpointing
    least = "offload" if setup.fused else True
    return least if asked == "auto" else asked


def load_of(documents: PackedDocuments, micro_batch_size: int) -> Load:
    """The largest micro-batch that can come of these documents."""
    lengths = np.array(documents.lengths)
    longest = max(int(lengths[pack].sum()) for pack in documents.packs)
    tokens = longest * micro_batch_size
    learned = tokens * documents.num_learned / max(lengths.sum(), 1)
    return Load(tokens, int(learned), float((lengths**2).sum() / lengths.sum()))


def _decided(train: TrainConfig, keep: bool) -> TrainConfig:
    if train.gradient_checkpointing != "auto":
        return train
    return train.model_copy(update={"gradient_checkpointing": keep})
