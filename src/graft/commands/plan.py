"""`graft plan`: estimate memory and time of training on any GPU."""

from pathlib import Path
from typing import Any

from graft import io
from graft.config.params import Params
from graft.errors import ConfigError, HardwareError
from graft.hardware.gpus import GPUS, GpuSpec
from graft.models.files import read_shape
from graft.planning.choice import Fit, find_fit, needed_gib, with_train
from graft.planning.memory import (
    GIB,
    all_parameters,
    offloaded_bytes,
    peak_memory,
    trained_parameters,
)
from graft.planning.setup import BatchShape, Setup, to_setup
from graft.planning.speed import estimate_throughput
from graft.planning.token_report import read_token_report

KEPT = {
    False: "all activations kept",
    "selective": "gate and up projections recomputed",
    "swap": "attention offloaded",
    True: "layer inputs kept",
    "offload": "layer inputs offloaded",
}
"""Value of train.gradient_checkpointing → its treatment of activations."""


def run(
    params: Params,
    *,
    gpu: str | None = None,
    tokens: int | None = None,
    lengths: Path = Path("reports/tokenize.json"),
    lock: Path = Path("dvc.lock"),
    json: bool = False,
) -> dict[str, Any] | None:
    """Estimate peak memory and time of training on each GPU, and suggest settings that
    fit.

    Args:
        gpu: estimate for this GPU only, and fail if no settings fit its memory.
        tokens: number of tokens in the train split; required for the time if the report
            of the stage tokenize is missing or has other parameters.
        lengths: report of the stage tokenize.
        lock: dvc.lock, which records the parameters of that report.
        json: print one JSON document instead of text.
    """
    if gpu is not None and gpu not in GPUS:
        raise ConfigError(
            f"--gpu {gpu}",
            "unknown GPU",
            expected=f"one of {', '.join(GPUS)}",
            fix="choose a GPU of this list with similar memory",
        )
    model, train, length = params.model, params.train, params.tokenize.max_seq_len
    values = read_shape(model)
    sections = (params.adapter, params.quantization, train)
    setup, plain = to_setup(values, model.path, model.dtype, sections)
    report, reason = read_token_report(lengths, lock, params.to_plain())
    batch = to_batch_shape(report, train.micro_batch_size, length)
    total = (tokens or report.get("tokens", 0)) * train.epochs
    if train.max_steps:
        total = train.max_steps * train.global_batch_size * length
    if not json:
        print(describe(setup, batch, plain))
    if reason and not json:
        print(
            f"text lengths unknown: {reason}\n"
            f"assumption: each text has {length:,} tokens, and all tokens are trained"
            + ("" if total else "; for hours, pass --tokens or run dvc repro tokenize")
            + "\n"
        )
    cards = [GPUS[gpu]] if gpu else list(GPUS.values())
    fits = [find_fit(setup, batch, card.memory_gib) for card in cards]
    rows = [to_record(*one, total) for one in zip(cards, fits, strict=True)]
    if not json:
        print(to_table([to_row(row) for row in rows]))
    if gpu and fits == [None]:
        raise HardwareError(
            cards[0].name,
            "no settings make this training fit",
            expected=f"at most {cards[0].memory_gib} GiB",
            fix="use a smaller model, a lower tokenize.max_seq_len, or a larger GPU",
        )
    if not json:
        return None
    return to_document(setup, batch) | {"lengths_unknown": reason or None, "gpus": rows}


def to_batch_shape(
    report: dict[str, Any], micro_batch_size: int, max_seq_len: int
) -> BatchShape:
    """A full micro-batch with the text lengths of the tokenize report; without
    it, all tokens are trained, and all texts have the maximum length."""
    tokens = micro_batch_size * max_seq_len
    span = float(max_seq_len)
    if quantiles := report.get("length"):
        # Long texts have more tokens, so the mean over tokens is above the median.
        span = min(span, float(quantiles["p75"]))
    return BatchShape(tokens, int(tokens * report.get("trained_share", 1.0)), span)


def describe(setup: Setup, batch: BatchShape, plain: str) -> str:
    """The configuration, and its peak memory by purpose, as text."""
    train = setup.train
    kept = train.gradient_checkpointing
    memory = memory_gib(setup, batch)
    peak = memory.pop("peak")
    held = ", ".join(f"{name} {value:.1f}" for name, value in memory.items())
    layers = f"plain layers ({plain or 'configured'})"
    if setup.fused:
        layers = "fused layers"
    return (
        f"{all_parameters(setup.shape) / 1e6:,.1f} M parameters, "
        f"{setup.quantization.method}; "
        f"{trained_parameters(setup) / 1e6:.1f} M trained; {layers}\n"
        f"micro-batch of {batch.tokens:,} tokens, {batch.trained:,} trained; "
        f"gradient_checkpointing: {str(kept).lower()}; "
        f"{train.num_processes} process{'es' * (train.num_processes > 1)}\n"
        f"peak {peak:.1f} GiB"
        + " if all activations are kept" * (kept == "auto")
        + f": {held}\n"
    )


def memory_gib(setup: Setup, batch: BatchShape) -> dict[str, float]:
    """Peak memory and its parts, in GiB; with gradient_checkpointing `auto`, of keeping
    all activations."""
    kept = setup.train.gradient_checkpointing
    setup = with_train(setup, gradient_checkpointing=False if kept == "auto" else kept)
    memory = peak_memory(setup, batch)
    parts = ("peak", "base", "adapter", "kept", "working")
    return {name: getattr(memory, name) / GIB for name in parts}


def to_document(setup: Setup, batch: BatchShape) -> dict[str, Any]:
    """The content of `describe` as a JSON document."""
    return {
        "num_parameters": all_parameters(setup.shape),
        "num_trained_parameters": trained_parameters(setup),
        "quantization": setup.quantization.method,
        "fused_layers": setup.fused,
        "micro_batch_tokens": batch.tokens,
        "micro_batch_trained_tokens": batch.trained,
        "gradient_checkpointing": setup.train.gradient_checkpointing,
        "num_processes": setup.train.num_processes,
        "memory_gib": memory_gib(setup, batch),
    }


def to_record(card: GpuSpec, fit: Fit | None, total: float) -> dict[str, Any]:
    """The estimate for a GPU. `total`: number of tokens to train on; 0 if unknown."""
    record = {"gpu": card.name, "memory_gib": card.memory_gib, "fits": fit is not None}
    if fit is None:
        return record
    speed = estimate_throughput(fit.setup, fit.batch, card).tokens_per_s
    speed *= fit.setup.train.num_processes  # measured: 97 % of this on four GPUs
    return record | {
        "needed_gib": needed_gib(fit.setup, fit.batch),
        "tokens_per_s": speed,
        "hours": total / speed / 3600 if total else None,
        "gradient_checkpointing": fit.setup.train.gradient_checkpointing,
        "offloaded_gib": offloaded_bytes(fit.setup, fit.batch) / GIB,
        "changes": dict(fit.changes),
        "overrides": str(fit),
    }


def to_row(record: dict[str, Any]) -> list[str]:
    """The cells of a GPU's row in the table."""
    name = [record["gpu"], f"{record['memory_gib']:.0f}"]
    if not record["fits"]:
        return [*name, "", "", "", "does not fit"]
    hours, offloaded = record["hours"], record["offloaded_gib"]
    settings = (
        f"set {record['overrides']}"
        if record["changes"]
        else KEPT[record["gradient_checkpointing"]]
    )
    return [
        *name,
        f"{record['needed_gib']:.1f}",
        f"{record['tokens_per_s']:,.0f}",
        "?" if hours is None else f"{hours:.1f}",
        settings + f", {offloaded:.0f} GiB in RAM" * bool(offloaded),
    ]


def to_table(rows: list[list[str]]) -> str:
    """Aligned columns, numbers right-aligned."""
    head = ["GPU", "GiB", "needs", "tokens/s", "hours", ""]
    return "\n".join(io.align([head, *rows], right=range(1, 5)))
