"""Measure the training loop's tokens per second, on random weights of a real shape.

    python benchmarks/training_speed.py --shape mistral-7b-v0.3 qwen2.5-7b-instruct
    torchrun --nproc-per-node 4 benchmarks/training_speed.py

Needs CUDA GPUs. NF4 with double quantization, bf16, rank 16 on all seven projections,
eight sequences of 2,048 tokens per step and GPU. Documents have log-normal lengths, and
their second half carries loss (`--trained`): short (median 75, at most 512 tokens:
translation), long (900, 2,048: reasoning), chats (2,000, 4,096), books (16,000,
32,768). `--keep input` recomputes layers, `selective` only their gates; `offload` also
moves layer inputs to host memory, `swap` attention's states too. Packed rows have no
padding, so all tokens count. Prints the median of the steps after the third, peak
memory of a GPU, and the first and last loss. `--cap` limits the GPU memory in GiB.
"""

import argparse
import gc
import math
import statistics
import sys
import tempfile
from collections.abc import Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from random_base import SHAPES, make_random_base

from graft.config import (
    AdapterConfig,
    LoraConfig,
    QuantizationConfig,
    TrainConfig,
)
from graft.training.batches import PackedDocuments
from graft.training.checkpoints import CheckpointStore
from graft.training.forward import prepare
from graft.training.loop import Loop
from graft.training.parallel import DataParallelGroup, join

ROOT = Path(__file__).parents[1]
WORKS = {
    "short": (75, 0.5, 512),
    "long": (900, 0.6, 2048),
    "chats": (2000, 0.6, 4096),
    "books": (16000, 0.6, 32768),
}
KEEPS: dict[str, bool | str] = {
    "all": False,
    "selective": "selective",
    "input": True,
    "swap": "swap",
    "offload": "offload",
}
Sections = tuple[TrainConfig, AdapterConfig, QuantizationConfig]


class Log:
    """Records metrics."""

    def __init__(self) -> None:
        self.seen: list[Mapping[str, float]] = []

    def log_metrics(
        self, metrics: Mapping[str, float], step: int | None = None
    ) -> None:
        """Record the values of a step."""
        del step
        self.seen.append(metrics)


@dataclass(frozen=True)
class Measured:
    """Results of one training: median tokens per second of the steps after the third,
    peak allocated and reserved GiB, and the first and last loss."""

    tokens_per_s: float
    peak_gib: float
    reserved_gib: float
    losses: tuple[float, float]


def main() -> None:
    """Train for a few steps, each shape on each kind of documents."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--shape", nargs="+", default=["mistral-7b-v0.3"], choices=SHAPES
    )
    parser.add_argument("--work", nargs="+", default=["short", "long"], choices=WORKS)
    parser.add_argument("--kernels", default="fused", choices=["fused", "plain"])
    parser.add_argument("--keep", default="all", choices=KEEPS)
    parser.add_argument("--at-once", type=int, default=8, help="sequences")
    parser.add_argument("--length", type=int, default=2048, help="tokens of each")
    parser.add_argument("--trained", type=float, default=0.5, help="share of tokens")
    parser.add_argument("--cap", type=float, help="GiB")
    parser.add_argument("--shard", action="store_true", help="shard the base")
    parser.add_argument("--steps", type=int, default=20)
    args = parser.parse_args()
    if args.cap:
        total = torch.cuda.get_device_properties(0).total_memory / 2**30
        torch.cuda.set_per_process_memory_fraction(args.cap / total)
    with join("cuda") as group, redirect_stdout(sys.stdout if group.is_first else None):
        compare(args, group)


def compare(args: argparse.Namespace, group: DataParallelGroup) -> None:
    """Print a line for each shape and kind of documents."""
    print("| shape | work | tokens/s | peak GiB | loss |\n|---|---|---|---|---|")
    for shape in args.shape:
        for work in args.work:
            train = make_train(args.at_once, args.steps, args.kernels, KEEPS[args.keep])
            train = train.model_copy(update={"shard_base": args.shard})
            sections = (train, make_adapter(), make_quantization())
            found = measure(shape, work, sections, args.length, args.trained, group)
            first, last = found.losses
            print(
                f"| {shape} | {work} | {found.tokens_per_s:,.0f} | "
                f"{found.peak_gib:.1f} | {first:.3f} → {last:.3f} |",
                flush=True,
            )


def make_train(at_once: int, steps: int, kernels: str, keep: bool | str) -> TrainConfig:
    """Settings of QLoRA, with one micro-batch per step."""
    changes = {
        "device": "cuda",
        "learning_rate": 2e-4,
        "kernels": kernels,
        "gradient_checkpointing": keep,
        "micro_batch_size": at_once,
        "global_batch_size": at_once,
        "max_steps": steps,
        "evaluate_every": steps,
        "log_every": 1,
    }
    return TrainConfig.model_validate(read("train/tiny") | changes)


def make_adapter(**changes: Any) -> LoraConfig:
    """Rank 16 on all linear layers, with `changes`."""
    values = read("adapter/lora") | {"rank": 16, "alpha": 32}
    return LoraConfig.model_validate(values | changes)


def make_quantization(**changes: Any) -> QuantizationConfig:
    """NF4 with double quantization, with `changes`."""
    return QuantizationConfig.model_validate(read("quantization/nf4") | changes)


def measure(
    shape: str,
    work: str,
    sections: Sections,
    length: int,
    trained: float,
    group: DataParallelGroup = DataParallelGroup(device="cuda"),
) -> Measured:
    """One training, on documents of which the share `trained` carries loss."""
    gc.collect()  # earlier models contain reference cycles
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    train, adapter, quantization = sections
    base = make_random_base(SHAPES[shape], quantization, group.device)
    prepared = prepare(base, adapter, train, torch.bfloat16, group)
    torch.cuda.reset_peak_memory_stats()
    vocabulary, steps = SHAPES[shape]["vocab_size"], train.max_steps or 1
    tokens, log = train.global_batch_size * group.size * length, Log()
    train = train.model_copy(
        update={"global_batch_size": train.global_batch_size * group.size}
    )
    with tempfile.TemporaryDirectory() as folder:
        store = CheckpointStore(Path(folder), 1)
        seen, held_out = (
            make_documents(work, number * tokens, vocabulary, seed, length, trained)
            for seed, number in enumerate((steps + 2, 1))
        )
        Loop(prepared, seen, held_out, train, store, log, group).run()
    lines = [values for values in log.seen if "train/loss" in values]
    return Measured(
        statistics.median(values["train/tokens_per_s"] for values in lines[3:]),
        torch.cuda.max_memory_allocated() / 2**30,
        torch.cuda.max_memory_reserved() / 2**30,
        (lines[0]["train/loss"], lines[-1]["train/loss"]),
    )


def read(group: str) -> dict[str, Any]:
    """A file of configs/ merged with its defaults, without Hydra, which may not be
    installed on a GPU machine."""
    text = (ROOT / "configs" / f"{group}.yaml").read_text("utf-8")
    own: dict[str, Any] = yaml.safe_load(text)
    others = [name for name in own.pop("defaults", []) if name != "_self_"]
    merged: dict[str, Any] = {}
    for name in others:
        merged |= read(f"{group.rpartition('/')[0]}/{name}")
    return merged | own


def make_documents(
    work: str, tokens: int, vocabulary: int, seed: int, length: int, trained: float
) -> PackedDocuments:
    """Documents of about `tokens` tokens in total."""
    rng = np.random.default_rng(seed)
    median, spread, most = WORKS[work]
    drawn = rng.lognormal(math.log(median), spread, 2 * tokens // median)
    lengths = np.clip(drawn.astype(np.int64), 16, most)
    lengths = lengths[: int(np.searchsorted(np.cumsum(lengths), tokens)) + 1]
    starts = np.concatenate(([0], np.cumsum(lengths)))
    place = np.arange(starts[-1]) - starts[:-1].repeat(lengths)
    names = [str(number) for number in range(len(lengths))]
    return PackedDocuments(
        rng.zipf(1.3, starts[-1]) % (vocabulary - 16)
        + 16,  # skewed: something to learn
        place >= (1 - trained) * lengths.repeat(lengths),
        starts,
        names,
        length,
        packing=True,
    )


if __name__ == "__main__":
    main()
