"""What fits a GPU, and what to change where it does not."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from graft.planning.memory import GIB, away_bytes, base_bytes, peak_memory
from graft.planning.setup import Load, Setup

_SLACK = 1.02  # what torch holds for each byte that is used, with expandable segments
_SHARE_OF_HOST = 0.5  # torch rounds pinned pieces up, to as much as twice
_CONTEXT_GIB = 1.2  # CUDA's own, and its libraries'


@dataclass(frozen=True)
class Fit:
    """A configuration that fits.

    Attributes:
        setup: with `gradient_checkpointing: auto` decided.
        load: its micro-batch.
        changes: settings of `train` that differ from what was asked for.
    """

    setup: Setup
    load: Load
    changes: Mapping[str, Any]

    def __str__(self) -> str:
        shown = {True: "true", False: "false"}
        return " ".join(
            f"train.{name}={shown.get(value, value)}"
            for name, value in self.changes.items()
        )


def needed_gib(setup: Setup, load: Load) -> float:
    """What must be free on the GPU before anything is loaded. A base is loaded whole,
    and dealt out then."""
    most = max(peak_memory(setup, load).peak, base_bytes(setup))
    return most / GIB * _SLACK + _CONTEXT_GIB


def find_fit(
    setup: Setup, load: Load, free_gib: float, host_gib: float = math.inf
) -> Fit | None:
    """The configuration with the least change that fits; None if none is known.

    As it is asked for; else with less kept between the passes; else with a smaller
    micro-batch too, which is slower, and leaves a step what it is.

    Args:
        setup, load: what is asked for.
        free_gib: of the GPU's memory.
        host_gib: of the machine's memory, for each process.
    """
    asked = setup.train
    for size, keep in _alternatives(setup):
        wish = {"micro_batch_size": size, "gradient_checkpointing": keep}
        changed = with_train(setup, **wish)
        part = load.part(size / asked.micro_batch_size)
        if away_bytes(changed, part) / GIB > host_gib * _SHARE_OF_HOST:
            continue
        if needed_gib(changed, part) <= free_gib:
            changes = {
                name: value
                for name, value in wish.items()
                if getattr(asked, name) not in (value, "auto")
            }
            return Fit(changed, part, changes)
    return None


def with_train(setup: Setup, **changes: Any) -> Setup:
    """The same with other settings of `train`."""
    return replace(setup, train=setup.train.model_copy(update=changes))


def _alternatives(setup: Setup) -> Iterator[tuple[int, bool | str]]:
    """Micro-batch size and what is kept, the least change and the fastest first."""
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
