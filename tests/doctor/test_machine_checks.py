"""The operating system, memory, disk and GPU."""

from pathlib import Path

import pytest
import yaml

from graft.config.params import Params, check_params
from graft.doctor.machine import (
    Driver,
    check_disk,
    check_gpu,
    check_memory,
    check_system,
    read_driver,
    read_system,
    read_torch,
)
from graft.hardware.device import VisibleGpu

H100 = VisibleGpu("H100", 79.0, 70.0)


def params(device: str = "auto", **model: object) -> Params:
    values = yaml.safe_load(Path("params.yaml").read_text("utf-8"))
    values["train"]["device"] = device
    values["model"] |= model
    return check_params(values, "params")


@pytest.mark.parametrize(
    ("system", "processor", "status"),
    [
        ("Linux", "x86_64", "ok"),
        ("Linux", "riscv64", "warning"),
        ("Darwin", "arm64", "error"),
    ],
)
def test_other_systems_are_named(system: str, processor: str, status: str) -> None:
    (found,) = check_system(system, processor, 1)
    assert found.status == status and "1 core" in found.found
    assert bool(found.fix) == (status != "ok")


def test_little_memory_and_disk_are_named() -> None:
    assert check_memory(16.0)[0].status == "ok"
    assert check_memory(1.0)[0].status == "warning"
    assert check_disk(500, True, "/w")[0].status == "ok"
    assert check_disk(10, True, "/w")[0].status == "warning"
    assert check_disk(0.5, True, "/w")[0].status == "error"
    assert "not writable" in check_disk(500, False, "/w")[0].found


@pytest.mark.parametrize(
    ("driver", "torch", "status", "part"),
    [
        (None, ("2.13.0+cpu", None), "ok", "none; torch 2.13.0+cpu for CPUs"),
        (None, None, "error", "not installed"),
        (Driver("580.1", (H100,)), ("2.13.0", "13.0"), "ok", "H100 (79 GiB)"),
        (Driver("580.1", (H100,)), ("2.13.0+cpu", None), "error", "for CPUs"),
        (Driver("535.4", (H100,)), ("2.13.0", "13.0"), "error", "driver 535.4"),
        (Driver("535.4", (H100,)), ("2.13.0", "12.8"), "ok", "CUDA 12.8"),
        (Driver(problem="no answer"), ("2.13.0", "13.0"), "error", "no answer"),
    ],
)
def test_torch_has_to_fit_the_driver(
    driver: Driver | None,
    torch: tuple[str, str | None] | None,
    status: str,
    part: str,
) -> None:
    (found,) = check_gpu(driver, torch, None)
    assert (found.status, part in found.found) == (status, True), found
    assert bool(found.fix) == (status == "error")


def test_a_configuration_that_needs_a_gpu_is_an_error_without_one() -> None:
    torch = ("2.13.0", "13.0")
    assert check_gpu(None, torch, params())[0].status == "ok"
    assert check_gpu(None, torch, params("cuda"))[0].status == "error"
    large = params("auto", num_parameters=7_000_000_000)
    (found,) = check_gpu(None, torch, large)
    assert found.status == "error" and "7.0 B parameters" in found.found
    assert check_gpu(Driver("580.1", (H100,)), torch, large)[0].status == "ok"


def program(folder: Path, text: str) -> str:
    path = folder / "smi"
    path.write_text(f"#!/bin/sh\n{text}\n", "utf-8")
    path.chmod(0o755)
    return str(path)


def test_the_driver_s_program_is_read(tmp_path: Path) -> None:
    row = "NVIDIA H100, 81559, 80000, 580.65.06"
    found = read_driver(program=program(tmp_path, f"echo '{row}'"))
    assert found is not None and found.version == "580.65.06"
    assert found.gpus[0].name == "NVIDIA H100"
    assert round(found.gpus[0].memory_gib, 1) == 79.6


def test_a_driver_that_fails_or_hangs_is_a_problem(tmp_path: Path) -> None:
    failing = program(tmp_path, "echo 'NVML: version mismatch'; exit 9")
    found = read_driver(program=failing)
    assert found is not None and "version mismatch" in found.problem
    found = read_driver(program=program(tmp_path, "exec sleep 60"), timeout_s=0.2)
    assert found is not None and "0.2 s" in found.problem
    device = tmp_path / "nvidiactl"
    assert read_driver((device,), "no-such-program") is None
    device.touch()
    found = read_driver((device,), "no-such-program")
    assert found is not None and "no no-such-program" in found.problem


def test_torch_is_read_without_an_import() -> None:
    from importlib.metadata import version

    found = read_torch()
    assert found is not None and found[0] == version("torch")
    assert read_system()[2] >= 1
