"""Preparing a base for training: adapter, and fused layers where supported."""

from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import torch

from graft.config import AdapterConfig, TrainConfig
from graft.errors import ModelError
from graft.planning.shapes import fusion_obstacle
from graft.training.fused.install import install
from graft.training.fused.layer import Keep
from graft.training.fused.offloading import ActivationOffloader
from graft.training.isolation import check_isolation
from graft.training.losses import Forward, fused_loss, plain_loss
from graft.training.parallel import DataParallelGroup
from graft.training.tuning import trained_names, tune

_KEEP: dict[bool | str, Keep] = {
    False: "all",
    "selective": "attention",
    True: "input",
    "swap": "attended",
    "offload": "input",
}


@dataclass(frozen=True)
class PreparedModel:
    """A model that is ready for the training loop.

    Attributes:
        model: a causal language model.
        forward: computes its loss on a micro-batch.
        dtype: of matrix products.
        trained: names of the weights that are to be trained.
    """

    model: Any
    forward: Forward
    dtype: torch.dtype
    trained: frozenset[str]


def prepare(
    base: Any,
    adapter: AdapterConfig,
    train: TrainConfig,
    dtype: torch.dtype,
    group: DataParallelGroup = DataParallelGroup(),
) -> PreparedModel:
    """Make weights trainable, and choose fused or plain layers.

    On a CPU, layers are fused only with `kernels: fused`, as this gains nothing there.

    Args:
        base: returned by `load_base`, with packed attention.
        dtype: of matrix products; trained weights stay float32.
        group: the processes that train together.
    Raises: ModelError if this base or device does not support an option of `train`.
    """
    names = [str(kind).removeprefix("torch.") for kind in (base.dtype, dtype)]
    problem = fusion_obstacle(base.config.to_dict(), adapter, *names)
    problem = problem or missing_dependency(base.device.type)
    on_cuda, keep = base.device.type == "cuda", train.gradient_checkpointing
    wanted = train.kernels == "fused" or (train.kernels == "auto" and on_cuda)
    fused = wanted and not problem
    if not wanted:
        problem = (
            "train.kernels is plain" if train.kernels == "plain" else "not on CUDA"
        )
    _check(train, base, problem)
    tuned = tune(base, adapter, train, checkpointing=bool(keep) and not fused)
    if fused:
        ops = load_ops(on_cuda)
        offloader = (
            ActivationOffloader(base.device) if keep in ("swap", "offload") else None
        )
        sharded = group if train.shard_base and group.size > 1 else None
        install(tuned, dtype, _KEEP[keep], ops, offloader, sharded)
        if sharded:
            torch.cuda.empty_cache()  # this GPU held the unsharded base
        forward: Forward = partial(fused_loss, tuned, ops)
    else:
        packed = train.packing or train.micro_batch_size > 1
        check_isolation(tuned, dtype, packed=packed)
        forward = partial(plain_loss, tuned, dtype)
    return PreparedModel(tuned, forward, dtype, trained_names(tuned, adapter))


def _check(train: TrainConfig, base: Any, problem: str) -> None:
    """Raises: ModelError for an option that requires fused layers, where `problem` is
    the reason why there are none."""
    keep = train.gradient_checkpointing
    packed = any(hasattr(weight, "quant_state") for weight in base.parameters())
    no_cuda = "" if base.device.type == "cuda" else "not on CUDA"
    obstacles = {
        "kernels: fused": (train.kernels == "fused", problem, "kernels: auto"),
        f"gradient_checkpointing: {keep}": (
            keep in ("selective", "swap", "offload"),
            problem or (no_cuda if keep != "selective" else ""),
            "gradient_checkpointing: true",
        ),
        "shard_base: true": (
            train.shard_base,
            problem or ("" if packed else "the base is not in 4 bits"),
            "shard_base: false",
        ),
    }
    for name, (is_set, why, instead) in obstacles.items():
        if is_set and why:
            raise ModelError(
                f"train.{name}",
                f"is not supported here: {why}",
                expected="a model and device with fused layers: see docs/TRAINING.md",
                fix=f"set train.{instead} in configs/train",
            )


def missing_dependency(device: str) -> str:
    """The missing dependency of fused layers on a device; empty if there is none."""
    is_missing = device.startswith("cuda") and find_spec("triton") is None
    return "Triton is not installed" if is_missing else ""


def load_ops(on_cuda: bool) -> ModuleType:
    """The operations of fused layers: Triton kernels, or plain torch functions."""
    if on_cuda:
        from graft.kernels import cuda

        return cuda
    from graft.kernels import plain

    return plain
