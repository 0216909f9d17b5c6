"""Operating system, memory, disk and GPU."""

import os
import platform
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from graft.config.params import Params
from graft.doctor.findings import Finding
from graft.errors import HardwareError
from graft.hardware.device import VisibleGpu, decide_device

_LEAST_MEMORY_GIB = 4.0
"""The default pipeline, on a CPU, with the tiny base; docs/LOG.md."""
_LEAST_DISK_GIB = 2.0
_LITTLE_DISK_GIB = 20.0
"""The requirements, DVC's cache and a small model."""
_LEAST_DRIVER = {12: 525, 13: 580}
"""CUDA's major version → major version of the driver that it needs. Source: CUDA
Compatibility, table "minor version compatibility"."""
_QUERY = "name,memory.total,memory.free,driver_version"


@dataclass(frozen=True)
class Driver:
    """What NVIDIA's driver reports: its version, and the GPUs; or why it does not."""

    version: str = ""
    gpus: tuple[VisibleGpu, ...] = ()
    problem: str = ""


def check_system(system: str, machine: str, cores: int) -> list[Finding]:
    """The operating system, the processor and its cores that this process may use."""
    text = f"{system} {machine}, {cores} core{'s' * (cores != 1)}"
    if system != "Linux":
        fix = "use Linux, or WSL 2; parts of graft read /proc"
        return [Finding("machine", "error", text, fix)]
    if machine not in ("x86_64", "aarch64"):
        fix = "use x86_64 or aarch64, for which the locked packages have wheels"
        return [Finding("machine", "warning", text, fix)]
    return [Finding("machine", "ok", text)]


def check_memory(available_gib: float) -> list[Finding]:
    """Available host memory (RAM)."""
    text = f"{available_gib:.1f} GiB of host memory are available"
    if available_gib < _LEAST_MEMORY_GIB:
        fix = f"end other programs; the tiny pipeline needs {_LEAST_MEMORY_GIB:g} GiB"
        return [Finding("memory", "warning", text, fix)]
    return [Finding("memory", "ok", text)]


def check_disk(free_gib: float, is_writable: bool, place: str) -> list[Finding]:
    """Free space of the project's disk."""
    text = f"{free_gib:.1f} GiB are free at {place}"
    if not is_writable:
        fix = "run as a user who may write there, or mount a volume"
        return [Finding("disk", "error", f"{place} is not writable", fix)]
    if free_gib < _LITTLE_DISK_GIB:
        fix = "free some, or move the caches: HF_HOME, dvc cache dir"
        status = "error" if free_gib < _LEAST_DISK_GIB else "warning"
        return [Finding("disk", status, text, fix)]  # type: ignore[arg-type]
    return [Finding("disk", "ok", text)]


def check_gpu(
    driver: Driver | None, torch: tuple[str, str | None] | None, params: Params | None
) -> list[Finding]:
    """The GPU, its driver, and whether this build of torch fits them.

    Args:
        driver: None: this machine has no NVIDIA driver.
        torch: its version, and the CUDA version that it was built for; None: torch is
            not installed.
        params: what is to run here; None: unknown.
    """
    if torch is None:
        return [Finding("GPU", "error", "torch is not installed", "make install")]
    version, cuda = torch
    build = f"torch {version} for " + (f"CUDA {cuda}" if cuda else "CPUs")
    gpu = None
    if driver is not None:
        if driver.problem:
            fix = "load or reinstall NVIDIA's driver, then: nvidia-smi"
            return [Finding("GPU", "error", driver.problem, fix)]
        names = ", ".join(f"{g.name} ({g.memory_gib:.0f} GiB)" for g in driver.gpus)
        build = f"{names or 'no GPU'}, driver {driver.version}, {build}"
        if not cuda:
            fix = "install the CUDA build: UV_TORCH_BACKEND=auto make install"
            return [Finding("GPU", "error", build, fix)]
        least = _LEAST_DRIVER.get(int(cuda.partition(".")[0]), 0)
        if int(driver.version.partition(".")[0]) < least:
            fix = f"install driver {least} or later, which CUDA {cuda} needs"
            return [Finding("GPU", "error", build, fix)]
        gpu = driver.gpus[0] if driver.gpus else None
    if gpu is None:
        build = f"none; {build}"
    devices = (params.train.device, params.generation.device) if params else ()
    for wanted in dict.fromkeys(devices):
        assert params is not None
        try:
            decide_device(wanted, params.model, params.quantization, gpu)
        except HardwareError as error:
            return [Finding("GPU", "error", f"{build}; {error.problem}", error.fix)]
    return [Finding("GPU", "ok", build)]


def read_driver(
    devices: tuple[Path, ...] = (Path("/dev/nvidiactl"), Path("/dev/dxg")),
    program: str = "nvidia-smi",
    timeout_s: float = 4.0,
) -> Driver | None:
    """What NVIDIA's driver reports; None if there is neither a device file nor the
    driver's program."""
    found = shutil.which(program)
    if not found:
        if not any(path.exists() for path in devices):
            return None
        return Driver(problem=f"there is a device file, and no {program}")
    words = [found, f"--query-gpu={_QUERY}", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(
            words, capture_output=True, text=True, timeout=timeout_s, check=False
        )
    except subprocess.TimeoutExpired:
        return Driver(problem=f"{program} does not answer within {timeout_s:g} s")
    if done.returncode:
        text = (done.stdout or done.stderr).strip().splitlines()
        return Driver(problem=f"{program}: {text[0] if text else 'failed'}")
    rows = [
        [cell.strip() for cell in row.split(",")] for row in done.stdout.splitlines()
    ]
    gpus = [
        VisibleGpu(name, float(all_) / 1024, float(free) / 1024)
        for name, all_, free, _ in rows
    ]
    return Driver(rows[0][3] if rows else "", tuple(gpus))


def read_torch() -> tuple[str, str | None] | None:
    """Version of torch and of the CUDA that it was built for; None if it is not
    installed. Torch is not imported, which takes seconds."""
    from importlib.util import find_spec

    spec = find_spec("torch")
    if spec is None or not spec.submodule_search_locations:
        return None
    path = Path(spec.submodule_search_locations[0], "version.py")
    values: dict[str, str | None] = {}
    for line in path.read_text("utf-8").splitlines():
        name, sign, value = line.partition("=")
        if sign and value.strip()[:1] in "'\"":
            values[name.partition(":")[0].strip()] = value.strip().strip("'\"")
    return values.get("__version__") or "unknown", values.get("cuda")


def read_system() -> tuple[str, str, int]:
    """Operating system, processor, and number of cores that this process may use."""
    return platform.system(), platform.machine(), len(os.sched_getaffinity(0))
