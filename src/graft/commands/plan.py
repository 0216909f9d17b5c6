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

KEEPS = {
    False: "everything kept",
    "selective": "gate and up projections recomputed",
    "swap": "attention offloaded",
    True: "layer inputs kept",
    "offload": "layer inputs offloaded",
}


def run(
    params: Params,
    *,
    gpu: str | None = None,
    tokens: int | None = None,
    lengths: Path = Path("reports/tokenize.json"),
    lock: Path = Path("dvc.lock"),
) -> None:
    """Estimate peak memory and time of training, and what to change if it does not
    fit.

    Args:
        gpu: a GPU of the table; it is an error if training cannot fit on it.
        tokens: tokens of the train split, if there is no tokenize report for these
            parameters.
        lengths: report of the stage tokenize.
        lock: dvc.lock, which records the parameters of the report.
    """
    if gpu is not None and gpu not in GPUS:
        raise ConfigError(
            f"--gpu {gpu}",
            "unknown GPU",
            expected=f"one of {', '.join(GPUS)}",
            fix="choose the one with the most similar memory",
        )
    model, train, length = params.model, params.train, params.tokenize.max_seq_len
    values = read_shape(model)
    sections = (params.adapter, params.quantization, train)
    setup, plain = to_setup(values, model.path, model.dtype, sections)
    known, why = read_token_report(lengths, lock, params.to_plain())
    batch = to_batch_shape(known, train.micro_batch_size, length)
    total = (tokens or known.get("tokens", 0)) * train.epochs
    if train.max_steps:
        total = train.max_steps * train.global_batch_size * length
    print(describe(setup, batch, plain))
    if why:
        print(
            f"text lengths unknown: {why}\n"
            f"assumption: each text has {length:,} tokens, all of them trained"
            + ("" if total else "; to get hours: --tokens N, or dvc repro tokenize")
            + "\n"
        )
    cards = [GPUS[gpu]] if gpu else list(GPUS.values())
    fits = [find_fit(setup, batch, card.memory_gib) for card in cards]
    print(to_table([to_row(*one, total) for one in zip(cards, fits, strict=True)]))
    if gpu and fits == [None]:
        raise HardwareError(
            cards[0].name,
            "no setting makes this training fit",
            expected=f"at most {cards[0].memory_gib} GiB",
            fix="use a smaller model, a lower tokenize.max_seq_len, or a larger GPU",
        )


def to_batch_shape(
    report: dict[str, Any], micro_batch_size: int, max_seq_len: int
) -> BatchShape:
    """A full micro-batch with the text lengths of the tokenize report; without one,
    all tokens are trained, and all texts have the maximum length."""
    tokens = micro_batch_size * max_seq_len
    span = float(max_seq_len)
    if quantiles := report.get("length"):
        # Long texts have more tokens, so the mean over tokens is above the median.
        span = min(span, float(quantiles["p75"]))
    return BatchShape(tokens, int(tokens * report.get("trained_share", 1.0)), span)


def describe(setup: Setup, batch: BatchShape, plain: str) -> str:
    """The configuration, and its memory by purpose."""
    shape, train = setup.shape, setup.train
    size = all_parameters(shape) / 1e6
    kept = train.gradient_checkpointing
    shown = with_train(setup, gradient_checkpointing=False if kept == "auto" else kept)
    memory = peak_memory(shown, batch)
    held = ", ".join(
        f"{name} {getattr(memory, name) / GIB:.1f}"
        for name in ("base", "adapter", "kept", "working")
    )
    how = "fused layers" if setup.fused else f"plain layers ({plain or 'configured'})"
    return (
        f"{size:,.1f} M parameters, {setup.quantization.method}; "
        f"{trained_parameters(setup) / 1e6:.1f} M trained; {how}\n"
        f"micro-batch of {batch.tokens:,} tokens, {batch.trained:,} trained; "
        f"gradient_checkpointing: {str(kept).lower()}; "
        f"{train.num_processes} process{'es' * (train.num_processes > 1)}\n"
        f"peak {memory.peak / GIB:.1f} GiB"
        + " if everything is kept" * (kept == "auto")
        + f": {held}\n"
    )


def to_row(card: GpuSpec, fit: Fit | None, total: float) -> list[str]:
    """The estimate for a GPU. `total`: tokens of the training; 0 if unknown."""
    named = [card.name, f"{card.memory_gib:.0f}"]
    if fit is None:
        return [*named, "", "", "", "does not fit"]
    keep = fit.setup.train.gradient_checkpointing
    offloaded = offloaded_bytes(fit.setup, fit.batch) / GIB
    speed = estimate_throughput(fit.setup, fit.batch, card).tokens_per_s
    speed *= fit.setup.train.num_processes  # measured: 97 % of it on four
    return [
        *named,
        f"{needed_gib(fit.setup, fit.batch):.1f}",
        f"{speed:,.0f}",
        f"{total / speed / 3600:.1f}" if total else "?",
        (f"set {fit}" if fit.changes else KEEPS[keep])
        + f", {offloaded:.0f} GiB in RAM" * bool(offloaded),
    ]


def to_table(rows: list[list[str]]) -> str:
    """Aligned columns, numbers right-aligned."""
    head = ["GPU", "GiB", "needs", "tokens/s", "hours", ""]
    return "\n".join(io.align([head, *rows], right=range(1, 5)))
