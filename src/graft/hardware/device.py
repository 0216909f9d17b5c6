"""Choosing the device of a model, and checking its memory before anything is loaded."""

from typing import Literal, NamedTuple

from graft.config import ModelConfig, QuantizationConfig
from graft.errors import HardwareError

LARGEST_ON_CPU = 1_000_000_000
"""Parameters. For larger models a training step on a CPU takes minutes."""

BYTES_PER_PARAMETER = {
    "nf4": 0.6,
    "fp4": 0.6,
    "bfloat16": 2,
    "float16": 2,
    "float32": 4,
}
"""Of the frozen base; for 4 bits including scales and 16-bit embeddings."""


class VisibleGpu(NamedTuple):
    """A GPU of this machine: its name, total and free memory."""

    name: str
    memory_gib: float
    free_gib: float


def choose_device(
    wanted: Literal["auto", "cpu", "cuda"],
    model: ModelConfig,
    quantization: QuantizationConfig,
) -> str:
    """The device for a model on this machine: `cpu` or `cuda`.

    Raises: HardwareError if there is no GPU, or too little memory for this model.
    """
    import torch

    gpu = None
    if torch.cuda.is_available():
        memory = torch.cuda.get_device_properties(0).total_memory / 2**30
        gpu = VisibleGpu(torch.cuda.get_device_name(0), memory, memory)
    return decide_device(wanted, model, quantization, gpu)


def decide_device(
    wanted: str,
    model: ModelConfig,
    quantization: QuantizationConfig,
    gpu: VisibleGpu | None,
) -> str:
    """The device for a model on a machine with this GPU, or with none.

    Raises: HardwareError if there is no GPU, or too little memory for this model.
    """
    size = f"{model.path} has {model.num_parameters / 1e9:.1f} B parameters"
    if wanted == "cpu" or (wanted == "auto" and gpu is None):
        if model.num_parameters > LARGEST_ON_CPU:
            raise HardwareError(
                f"device={wanted}",
                (
                    f"{size}, and there is no CUDA GPU to run it on"
                    if wanted == "auto"
                    else f"{size}, too many for a CPU"
                ),
                expected="an NVIDIA GPU that torch sees (torch.cuda.is_available())",
                fix="run on a GPU machine (SETUP.md), or try the pipeline with "
                "model=tiny",
            )
        return "cpu"
    if gpu is None:
        raise HardwareError(
            "device=cuda",
            "torch sees no CUDA GPU here",
            expected="an NVIDIA GPU, its driver, and torch's CUDA build",
            fix="run on a GPU machine (SETUP.md), or set device: auto for a "
            "model that is small enough for a CPU",
        )
    method = quantization.method
    kind = model.dtype if method == "none" else method
    needed = model.num_parameters * BYTES_PER_PARAMETER[kind] / 2**30
    if needed > gpu.memory_gib:
        raise HardwareError(
            gpu.name,
            f"{size}: {needed:.0f} GiB in {kind}, and the GPU has "
            f"{gpu.memory_gib:.0f} GiB",
            expected="a GPU with memory for the weights and activations",
            fix="set quantization=nf4, take a smaller model, or a larger GPU",
        )
    return "cuda"
