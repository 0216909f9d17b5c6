"""A model's runner and scheduler, with as many slots as fit the memory."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

import torch

from graft.errors import ModelError
from graft.hardware.machine import available_gib
from graft.inference.families import inner_model, key_shape
from graft.inference.runner import ModelRunner
from graft.inference.scheduler import Scheduler
from graft.planning.generation_memory import GenerationShape, Weights, plan_generation

ROUND_LENGTH = 64
"""Lengths of slots are multiples of it, so that runs of similar lengths share them."""
TOKENS_AT_ONCE = 8192
"""Prompt tokens that enter at once."""
CUDA_BYTES = 600 * 2**20
"""Workspaces of cuBLAS, and CUDA graphs. Measured on an H100 (docs/LOG.md)."""

_runners: WeakKeyDictionary[Any, ModelRunner] = WeakKeyDictionary()
_busy: WeakSet[Any] = WeakSet()
"""Models that a scheduler uses."""


def runner_of(
    model: Any, slots: int, length: int, weights: Weights = "auto"
) -> ModelRunner:
    """The model's runner, made anew if it has too few or too short slots, or the other
    weights. A base and the same base with an adapter share one.

    Args:
        slots: rows at once, at most; fewer if memory is short.
        length: tokens that a slot holds.
        weights: whether 4-bit weights are unpacked once; auto: if memory allows it.
    Raises: ModelError inside `open_scheduler` of the same model.
    """
    owner = inner_model(model)
    if owner in _busy:
        raise ModelError(
            "the model",
            "is already used by a batch that has not ended",
            expected="one ContinuousBatch at a time for each copy of a model",
            fix="close the first one and read its events to their end, or load the "
            "model again",
        )
    runner = _runners.get(owner)
    if runner is not None:
        suits = weights == "auto" or runner.is_dense == (weights == "dense")
        if suits and runner.num_slots >= slots and runner.length >= length:
            return runner
        slots, length = max(slots, runner.num_slots), max(length, runner.length)
        release(model)
        del runner
    length = -(-length // ROUND_LENGTH) * ROUND_LENGTH
    plan = plan_generation(
        shape_of(owner),
        free=free_bytes(owner.device),
        num_slots=slots,
        length=length,
        tokens_at_once=TOKENS_AT_ONCE,
        weights=weights,
    )
    made = ModelRunner(owner, plan.num_slots, length, dense=plan.is_dense)
    _runners[owner] = made
    return made


@contextmanager
def open_scheduler(
    model: Any, num_slots: int, length: int, weights: Weights = "auto"
) -> Iterator[Scheduler]:
    """A scheduler of a model, which must not be used otherwise inside.

    Args:
        model: one that `is_supported`.
        num_slots: rows at once, at most; fewer if memory is short.
        length: most tokens of a row, the prompt included.
        weights: whether 4-bit weights are unpacked once; auto: if memory allows it.
    Raises: ModelError if another scheduler uses it.
    """
    runner = runner_of(model, num_slots, length, weights)
    num_slots = min(num_slots, runner.num_slots)
    scheduler = Scheduler(
        runner,
        num_slots,
        overlaps=overlaps(runner.device.type),
        chunk_tokens=TOKENS_AT_ONCE,
        min_free=max(1, num_slots // 8),
    )
    owner = inner_model(model)
    _busy.add(owner)
    try:
        with runner.session(model):
            yield scheduler
    finally:
        _busy.discard(owner)


def overlaps(device_type: str) -> bool:
    """Whether a decode step is launched before the last one's tokens are read.

    On CUDA, so that the device computes while the host reads, decodes texts and
    streams. Steps that are launched cannot be recalled: a row that is cancelled has one
    that runs and one that waits. With more it would not end within two steps.
    """
    return device_type == "cuda"


def release(model: Any) -> None:
    """Free the memory of a model's slots and unpacked weights."""
    _runners.pop(inner_model(model), None)
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def free_bytes(device: Any) -> int:
    """Free memory of the device, what torch has reserved and does not use included."""
    if device.type != "cuda":
        return int(available_gib() * 2**30)
    free, _ = torch.cuda.mem_get_info(device)
    unused = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return int(free) + int(unused)


def dense_bytes(owner: Any) -> int:
    """Memory of the model's 4-bit weights once unpacked."""
    packed = [w for w in owner.parameters() if hasattr(w, "quant_state")]
    return sum(
        int(torch.Size(w.quant_state.shape).numel()) * owner.dtype.itemsize
        for w in packed
    )


def shape_of(owner: Any) -> GenerationShape:
    """The sizes that memory depends on."""
    layers, heads, size = key_shape(owner.config)
    config, width = owner.config, owner.dtype.itemsize
    inner = getattr(config, "intermediate_size", None) or 4 * config.hidden_size
    return GenerationShape(
        dense=dense_bytes(owner),
        slot_token=2 * layers * heads * size * width,
        # A normed copy, the residual, and gates, ups and their product.
        token=(2 * config.hidden_size + 3 * inner) * width,
        logits=config.vocab_size * (width + 4),
        fixed=CUDA_BYTES if owner.device.type == "cuda" else 0,
    )
