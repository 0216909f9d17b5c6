"""What completions are made on: device, memory, libraries."""

import platform
import resource
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

LIBRARIES = (
    "graft",
    "torch",
    "transformers",
    "peft",
    "bitsandbytes",
    "tokenizers",
    "sacrebleu",
)


def device_name(device: str) -> str:
    """The device's name for readers. Raises: ValueError where nothing computes."""
    import torch

    if device.startswith("cuda"):
        return str(torch.cuda.get_device_name(device))
    if not device.startswith("cpu"):
        raise ValueError(f"nothing computes on device {device}")
    return f"CPU ({platform.machine()}, {torch.get_num_threads()} threads)"


def peak_memory_gib(device: str) -> float:
    """Most memory of the device that this process has held so far, in GiB."""
    import torch

    if device.startswith("cuda"):
        return float(torch.cuda.max_memory_allocated(device)) / 2**30
    return peak_rss_gib()


def describe_use(device: str, seconds: float) -> dict[str, str | float]:
    """What an adapter records of the machine that made it, in so many seconds."""
    return {
        "device": device_name(device),
        "memory_gib": peak_memory_gib(device),
        "seconds": seconds,
    }


def peak_rss_gib() -> float:
    """Most of the machine's memory that this process has held so far, in GiB."""
    # Linux counts in KiB.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def library_versions() -> dict[str, str]:
    """Versions of Python and of the libraries that completions depend on."""
    found = {"python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # an optional library, or a source tree on a path
            found[name] = "not installed"
    return found


def available_gib() -> float:
    """The machine's memory that programs can still take."""
    lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    facts = dict(line.split(":", 1) for line in lines)
    return int(facts["MemAvailable"].split()[0]) / 2**20
