"""Device name, memory use and library versions of this process."""

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
    """A readable name of the device. Raises: ValueError unless it is cpu or cuda."""
    import torch

    if device.startswith("cuda"):
        return str(torch.cuda.get_device_name(device))
    if not device.startswith("cpu"):
        raise ValueError(f"unsupported device {device}")
    return f"CPU ({platform.machine()}, {torch.get_num_threads()} threads)"


def peak_memory_gib(device: str) -> float:
    """Peak memory of this process on the device so far, in GiB."""
    import torch

    if device.startswith("cuda"):
        return float(torch.cuda.max_memory_allocated(device)) / 2**30
    return peak_rss_gib()


def describe_use(device: str, seconds: float) -> dict[str, str | float]:
    """Device, peak memory and duration of a training, for the adapter's record."""
    return {
        "device": device_name(device),
        "memory_gib": peak_memory_gib(device),
        "seconds": seconds,
    }


def peak_rss_gib() -> float:
    """Peak host memory (RAM) of this process so far, in GiB."""
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
    """Available host memory (RAM), in GiB."""
    lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    facts = dict(line.split(":", 1) for line in lines)
    return int(facts["MemAvailable"].split()[0]) / 2**20
