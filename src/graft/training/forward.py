"""A base made ready to train: with an adapter, and by fused layers where they can."""

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
    """What a loop trains.

    Attributes:
        model: a causal language model.
        forward: its loss on a micro-batch.
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
    """A base with what is trained of it, and how its loss is computed.

    Args:
        base: of `load_base`, with packed attention.
        dtype: of matrix products; weights that are trained stay float32.
        group: the processes that train together.
    On a CPU they are fused only where that is asked for: it gains nothing there.
    Raises: ModelError if `train` asks for what this base or device cannot do.
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
            torch.cuda.empty_cache()  # the whole base was here
        forward: Forward = partial(fused_loss, tuned, ops)
    else:
        packed = train.packing or train.micro_batch_size > 1
        check_isolation(tuned, dtype, packed=packed)
        forward = partial(plain_loss, tuned, dtype)
    return PreparedModel(tuned, forward, dtype, trained_names(tuned, adapter))


def _check(train: TrainConfig, base: Any, problem: str) -> None:
    """Raises: ModelError for what fused layers alone can do. `problem`: why there are
    none, if so."""
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
    for name, (asked, why, instead) in obstacles.items():
        if asked and why:
            raise ModelError(
                f"train.{name}",
                f"cannot be had: {why}",
                expected="fused layers, as docs/TRAINING.md lists them",
                fix=f"set train.{instead} in configs/train",
            )


def missing_dependency(device: str) -> str:
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
