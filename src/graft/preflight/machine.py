"""The GPUs, memory and disk of this machine."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from graft.hardware.device import VisibleGpu
from graft.hardware.machine import available_gib
from graft.planning.memory import GIB

_DRIVERS = (Path("/dev/nvidiactl"), Path("/dev/dxg"))
"""Device files of NVIDIA drivers. Without them torch need not be imported."""


@dataclass(frozen=True)
class Machine:
    """The resources of a machine.

    Attributes:
        gpus: those that torch sees.
        host_gib: available host memory (RAM).
        disk_gib: free space on the disk of the repository.
        hub_cache_gib: free space on the disk of the Hub cache.
        one_disk: whether both are the same file system.
    """

    gpus: tuple[VisibleGpu, ...]
    host_gib: float
    disk_gib: float
    hub_cache_gib: float
    one_disk: bool


def read_machine() -> Machine:
    """The current state of this machine."""
    from huggingface_hub.constants import HF_HUB_CACHE

    here, cache = Path.cwd(), _existing(Path(HF_HUB_CACHE))
    return Machine(
        gpus=_gpus(),
        host_gib=available_gib(),
        disk_gib=shutil.disk_usage(here).free / GIB,
        hub_cache_gib=shutil.disk_usage(cache).free / GIB,
        one_disk=os.stat(here).st_dev == os.stat(cache).st_dev,
    )


def _existing(path: Path) -> Path:
    """The path, or its nearest parent that exists."""
    return next(one for one in (path, *path.parents) if one.exists())


def _gpus() -> tuple[VisibleGpu, ...]:
    if not any(driver.exists() for driver in _DRIVERS):
        return ()
    import torch

    if not torch.cuda.is_available():
        return ()
    return tuple(
        VisibleGpu(
            torch.cuda.get_device_name(number),
            torch.cuda.get_device_properties(number).total_memory / GIB,
            torch.cuda.mem_get_info(number)[0] / GIB,
        )
        for number in range(torch.cuda.device_count())
    )
