"""Compare the predictions of `graft plan` with measurements.

    python benchmarks/plan_quality.py [--only NAME ...]

Needs one CUDA GPU that is listed in graft.hardware.gpus. Each line is a training of
eight steps on random weights (see training_speed.py): peak memory as reported by torch,
and the median speed of the steps after the third, each with the prediction's error.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from random_base import SHAPES
from training_speed import (
    Sections,
    make_adapter,
    make_documents,
    make_quantization,
    make_train,
    measure,
)

from graft.config import FullConfig
from graft.hardware.gpus import GpuSpec, find_gpu
from graft.planning.memory import GIB, peak_memory
from graft.planning.setup import BatchShape, Setup
from graft.planning.shapes import to_shape
from graft.planning.speed import estimate_throughput
from graft.training.parallel import join


@dataclass(frozen=True)
class Case:
    """A configuration."""

    shape: str
    work: str
    at_once: int
    length: int = 2048
    keep: bool | str = False
    kernels: str = "fused"
    trained: float = 0.5  # share of tokens
    optimizer: str = "adamw_torch_fused"
    accumulation: int = 1  # micro-batches per step
    full: int | None = None  # full fine-tuning; number of frozen layers
    adapter: dict[str, Any] = field(default_factory=dict)
    stored: dict[str, Any] = field(default_factory=dict)


M7, Q7, L1 = "mistral-7b-v0.3", "qwen2.5-7b-instruct", "llama-3.2-1b"
CASES = {
    "no checkpointing, short": Case(M7, "short", 8),
    "no checkpointing, long": Case(M7, "long", 8, trained=1.0),
    "one row": Case(M7, "long", 1),
    "checkpointing, 8k": Case(M7, "long", 1, 8192, keep=True),
    "selective": Case(M7, "long", 8, keep="selective"),
    "Qwen, selective": Case(Q7, "short", 4, keep="selective"),
    "offload": Case(M7, "long", 4, keep="offload"),
    "rank 64, dropout": Case(M7, "long", 2, adapter={"rank": 64, "dropout": 0.05}),
    "q and v, rank 8": Case(
        M7, "short", 4, adapter={"rank": 8, "target_modules": ["q_proj", "v_proj"]}
    ),
    "fp4, single scales": Case(
        M7, "short", 2, keep=True, stored={"method": "fp4", "double_quant": False}
    ),
    "16-bit base": Case(M7, "long", 4, stored={"method": "none"}),
    "half frozen": Case(M7, "long", 4, adapter={"freeze_layers": 16}),
    "Qwen, no checkpointing": Case(Q7, "long", 8),
    "Qwen, chats, offload": Case(Q7, "chats", 4, 4096, keep="offload", trained=1.0),
    "Llama 1B": Case(L1, "short", 16),
    "Llama 1B, chats": Case(L1, "chats", 2, 4096, keep=True),
    "16k tokens": Case(M7, "chats", 1, 16384, keep=True, trained=1.0),
    "Qwen, attention only": Case(
        Q7,
        "short",
        8,
        1024,
        adapter={"rank": 8, "target_modules": ["q_proj", "k_proj", "v_proj", "o_proj"]},
    ),
    "plain, checkpointing": Case(M7, "short", 4, keep=True, kernels="plain"),
    "plain, no checkpointing": Case(M7, "long", 2, kernels="plain"),
    "plain, Qwen": Case(Q7, "long", 2, kernels="plain", adapter={"dropout": 0.05}),
    "DoRA": Case(M7, "long", 2, keep=True, kernels="plain", adapter={"dora": True}),
    "32k tokens": Case(
        Q7, "books", 1, 32768, keep="offload", optimizer="paged_adamw_8bit"
    ),
    "32k tokens, checkpointing": Case(
        M7, "books", 1, 32768, keep=True, optimizer="adamw_8bit", trained=1.0
    ),
    "full, 1B": Case(L1, "long", 4, full=0),
    "full, 1B, accumulation": Case(L1, "long", 2, accumulation=2, full=0),
    "full, 1B, checkpointing": Case(L1, "chats", 2, 4096, keep=True, full=0),
    "full, 1B, 8-bit Adam": Case(L1, "long", 2, optimizer="adamw_8bit", full=0),
    "full, 7B, last 16, paged": Case(
        M7, "long", 2, keep=True, optimizer="paged_adamw_8bit", full=16
    ),
}


def main() -> None:
    """Parse the arguments, and compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=CASES, default=list(CASES))
    args = parser.parse_args()
    card = torch.cuda.get_device_properties(0)
    gpu = find_gpu(card.name, card.total_memory / GIB)
    if gpu is None:
        raise SystemExit(f"{card.name} is not listed in graft.hardware.gpus")
    with join("cuda"):
        compare(args.only, gpu)


def compare(names: Sequence[str], gpu: GpuSpec) -> None:
    """Measure each case, and print it with its prediction."""
    print("| | peak GiB | planned | error | tokens/s | planned | error | reserved |")
    print("|---|---|---|---|---|---|---|---|")
    for name in names:
        case = CASES[name]
        train, adapter, stored = sections_of(case)
        found = measure(
            case.shape, case.work, (train, adapter, stored), case.length, case.trained
        )
        shape = to_shape(SHAPES[case.shape], case.shape)
        fused = case.kernels == "fused" and case.full is None
        setup = Setup(shape, adapter, stored, train, fused)
        batch = to_batch_shape(case)
        memory = peak_memory(setup, batch).peak / GIB
        speed = estimate_throughput(setup, batch, gpu).tokens_per_s
        print(
            f"| {name} | {found.peak_gib:.1f} | {memory:.1f} "
            f"| {memory / found.peak_gib - 1:+.0%} | {found.tokens_per_s:,.0f} "
            f"| {speed:,.0f} | {speed / found.tokens_per_s - 1:+.0%} "
            f"| {found.reserved_gib:.1f} |",
            flush=True,
        )


def sections_of(case: Case) -> Sections:
    """The configuration sections of a case."""
    train = make_train(case.at_once, 8, case.kernels, case.keep)
    sizes = {"global_batch_size": case.at_once * case.accumulation}
    train = train.model_copy(update={"optimizer": case.optimizer, **sizes})
    if case.full is None:
        return train, make_adapter(**case.adapter), make_quantization(**case.stored)
    full = FullConfig(method="full", freeze_layers=case.full)
    train = train.model_copy(update={"kernels": "auto", "learning_rate": 1e-5})
    return train, full, make_quantization(method="none", double_quant=False)


def to_batch_shape(case: Case) -> BatchShape:
    """The shape of a case's micro-batches."""
    tokens = case.at_once * case.length
    made = make_documents(case.work, 8 * tokens, 1000, 0, case.length, case.trained)
    spans = sum(length * length for length in made.lengths) / sum(made.lengths)
    return BatchShape(tokens, int(tokens * case.trained), spans)


if __name__ == "__main__":
    main()
