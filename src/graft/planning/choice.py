"""Which configurations fit on a GPU, and what to change if one does not."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from graft.planning.memory import GIB, base_bytes, offloaded_bytes, peak_memory
from graft.planning.setup import BatchShape, Setup

_SLACK = 1.02  # reserved by torch per byte in use, with expandable segments
_SHARE_OF_HOST = 0.5  # torch rounds pinned allocations up, to at most twice the size
_CONTEXT_GIB = 1.2  # of CUDA and its libraries


@dataclass(frozen=True)
class Fit:
    """A configuration that fits.

    Attributes:
        setup: with `gradient_checkpointing: auto` resolved.
        batch: its micro-batch.
        changes: settings of `train` that differ from the configured ones.
    """

    setup: Setup
    batch: BatchShape
    changes: Mapping[str, Any]

    def __str__(self) -> str:
        shown = {True: "true", False: "false"}
        return " ".join(
            f"train.{name}={shown.get(value, value)}"
            for name, value in self.changes.items()
        )


def needed_gib(setup: Setup, batch: BatchShape) -> float:
    """Memory that must be free on the GPU before anything is loaded. The complete base
    is loaded on each GPU before it is sharded."""
    most = max(peak_memory(setup, batch).peak, base_bytes(setup))
    return most / GIB * _SLACK + _CONTEXT_GIB


def find_fit(
    setup: Setup, batch: BatchShape, free_gib: float, host_gib: float = math.inf
) -> Fit | None:
    """The configuration that fits with the fewest changes; None if none is found.

    First the configured one, then with fewer activations kept for the backward pass,
    then also with a smaller micro-batch, which is slower but gives the same steps.

    Args:
        setup, batch: the configured ones.
        free_gib: free GPU memory.
        host_gib: free host memory (RAM) per process.
    """
    configured = setup.train
    for size, keep in _alternatives(setup):
        candidate = {"micro_batch_size": size, "gradient_checkpointing": keep}
        changed = with_train(setup, **candidate)
        part = batch.part(size / configured.micro_batch_size)
        if offloaded_bytes(changed, part) / GIB > host_gib * _SHARE_OF_HOST:
            continue
        if needed_gib(changed, part) <= free_gib:
            changes = {
                name: value
                for name, value in candidate.items()
                if getattr(configured, name) not in (value, "auto")
            }
            return Fit(changed, part, changes)
    return None


def with_train(setup: Setup, **changes: Any) -> Setup:
    """A copy with other settings of `train`."""
    return replace(setup, train=setup.train.model_copy(update=changes))


def _alternatives(setup: Setup) -> Iterator[tuple[int, bool | str]]:
    """Micro-batch size and gradient checkpointing, the fewest changes and the fastest
    first."""
    size, wanted = setup.train.micro_batch_size, setup.train.gradient_checkpointing
    kept: list[bool | str] = [False, True]
    if setup.fused:
        kept = [False, "selective", "swap", True, "offload"]
    if wanted in kept:  # not auto
        yield size, wanted
    while size:
        for keep in kept:
            yield size, keep
        size //= 2
