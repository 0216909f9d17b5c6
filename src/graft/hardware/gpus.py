"""Data sheet values of GPUs: memory, compute and bandwidth."""

from dataclasses import dataclass


@dataclass(frozen=True)
class GpuSpec:
    """The specification of a GPU.

    Attributes:
        name: as torch reports it, or a part of that.
        memory_gib: memory that is visible to a program.
        tflops: dense bf16 matrix products with float32 accumulation, by data sheet.
        gb_per_s: memory bandwidth, by data sheet.
    """

    name: str
    memory_gib: float
    tflops: float
    gb_per_s: float


GPUS = {
    "b200": GpuSpec("B200", 178.0, 2250, 8000),
    "h200": GpuSpec("H200", 139.8, 989, 4800),
    "h100": GpuSpec("H100 80GB HBM3", 79.2, 989, 3350),
    "h100-pcie": GpuSpec("H100 PCIe", 79.2, 756, 2000),
    "a100-80": GpuSpec("A100-SXM4-80GB", 79.2, 312, 2039),
    "a100-40": GpuSpec("A100-SXM4-40GB", 39.4, 312, 1555),
    "l40s": GpuSpec("L40S", 44.4, 362, 864),
    "rtx6000-ada": GpuSpec("RTX 6000 Ada", 47.4, 364, 960),
    "rtx5090": GpuSpec("RTX 5090", 31.4, 210, 1792),
    "rtx4090": GpuSpec("RTX 4090", 23.5, 165, 1008),
    "rtx3090": GpuSpec("RTX 3090", 23.6, 71, 936),
    "a10g": GpuSpec("A10G", 22.1, 70, 600),
    "l4": GpuSpec("L4", 22.0, 121, 300),
}
"""Sources: NVIDIA's data sheets of these GPUs (dense, without sparsity)."""


def find_gpu(name: str, memory_gib: float) -> GpuSpec | None:
    """The specification by the name that torch reports; None if it is not listed.

    `memory_gib`: the actual memory, which replaces the listed one.
    """
    for gpu in GPUS.values():
        if gpu.name in name:
            return GpuSpec(name, memory_gib, gpu.tflops, gpu.gb_per_s)
    return None
