"""`graft plan`: memory and time of training on any GPU, before one is touched."""

from pathlib import Path
from typing import Any

from graft import io
from graft.config.params import Params
from graft.errors import ConfigError, HardwareError
from graft.hardware.gpus import GPUS, Gpu
from graft.models.files import read_shape
from graft.planning.choice import Fit, find_fit, needed_gib, with_train
from graft.planning.memory import (
    GIB,
    all_parameters,
    away_bytes,
    peak_memory,
    trained_parameters,
)
from graft.planning.setup import Load, Setup, to_setup
from graft.planning.speed import pace
from graft.planning.token_report import read_token_report

KEEPS = {
    False: "all kept",
    "selective": "gates computed again",
    "swap": "attention put away",
    True: "inputs kept",
    "offload": "inputs put away",
}


def run(
    params: Params,
    *,
    gpu: str | None = None,
    tokens: int | None = None,
    lengths: Path = Path("reports/tokenize.json"),
    lock: Path = Path("dvc.lock"),
) -> None:
    """Estimate peak memory and time of training; say what to change where it does not
    fit.

    Args:
        gpu: one of the table; an error if nothing fits it.
        tokens: of the train split, where these parameters have no tokenize report.
        lengths: report of the tokenize stage.
        lock: of the pipeline, which tells whether the report is of these parameters.
    """
    if gpu is not None and gpu not in GPUS:
        raise ConfigError(
            f"--gpu {gpu}",
            "not a GPU that is known",
            expected=f"one of {', '.join(GPUS)}",
            fix="take the one that is nearest in memory",
        )
    model, train, length = params.model, params.train, params.tokenize.max_seq_len
    values = read_shape(model)
    sections = (params.adapter, params.quantization, train)
    setup, plain = to_setup(values, model.path, model.dtype, sections)
    known, why = read_token_report(lengths, lock, params.to_plain())
    load = to_load(known, train.micro_batch_size, length)
    total = (tokens or known.get("tokens", 0)) * train.epochs
    if train.max_steps:
        total = train.max_steps * train.global_batch_size * length
    print(describe(setup, load, plain))
    if why:
        print(
            f"texts not known: {why}\n"
            f"assumed: each of {length:,} tokens, all of them trained"
            + ("" if total else "; for hours: --tokens N, or first: dvc repro tokenize")
            + "\n"
        )
    cards = [GPUS[gpu]] if gpu else list(GPUS.values())
    fits = [find_fit(setup, load, card.memory_gib) for card in cards]
    print(to_table([to_row(*one, total) for one in zip(cards, fits, strict=True)]))
    if gpu and fits == [None]:
        raise HardwareError(
            cards[0].name,
            "nothing that is known makes this training fit",
            expected=f"at most {cards[0].memory_gib} GiB",
            fix="take a smaller model, a lower tokenize.max_seq_len, or a larger GPU",
        )


def to_load(report: dict[str, Any], micro_batch_size: int, max_seq_len: int) -> Load:
    """A full micro-batch, of texts as the tokenize report tells; without one all of it
    is learned, and each text as long as may be."""
    tokens = micro_batch_size * max_seq_len
    span = float(max_seq_len)
    if quantiles := report.get("length"):
        # Tokens of long texts are many: the mean over tokens is above the median.
        span = min(span, float(quantiles["p75"]))
    return Load(tokens, int(tokens * report.get("learned_share", 1.0)), span)


def describe(setup: Setup, load: Load, plain: str) -> str:
    """What is planned, and what of it takes memory where all is kept as set."""
    shape, train = setup.shape, setup.train
    size = all_parameters(shape) / 1e6
    kept = train.gradient_checkpointing
    shown = with_train(setup, gradient_checkpointing=False if kept == "auto" else kept)
    memory = peak_memory(shown, load)
    held = ", ".join(
        f"{name} {getattr(memory, name) / GIB:.1f}"
        for name in ("base", "adapter", "kept", "working")
    )
    how = "fused layers" if setup.fused else f"plain layers ({plain or 'as set'})"
    return (
        f"{size:,.1f} M parameters, {setup.quantization.method}; "
        f"{trained_parameters(setup) / 1e6:.1f} M trained; {how}\n"
        f"micro-batch of {load.tokens:,} tokens, {load.learned:,} learned; "
        f"gradient_checkpointing: {str(kept).lower()}; "
        f"{train.num_processes} process{'es' * (train.num_processes > 1)}\n"
        f"peak {memory.peak / GIB:.1f} GiB"
        + " if all is kept" * (kept == "auto")
        + f": {held}\n"
    )


def to_row(card: Gpu, fit: Fit | None, total: float) -> list[str]:
    """What to expect of a card. `total`: tokens of the training; 0: not known."""
    named = [card.name, f"{card.memory_gib:.0f}"]
    if fit is None:
        return [*named, "", "", "", "does not fit"]
    keep = fit.setup.train.gradient_checkpointing
    away = away_bytes(fit.setup, fit.load) / GIB
    speed = pace(fit.setup, fit.load, card).tokens_per_s
    speed *= fit.setup.train.num_processes  # 97 % of it were measured on four
    return [
        *named,
        f"{needed_gib(fit.setup, fit.load):.1f}",
        f"{speed:,.0f}",
        f"{total / speed / 3600:.1f}" if total else "?",
        (f"set {fit}" if fit.changes else KEEPS[keep])
        + f", {away:.0f} GiB in RAM" * bool(away),
    ]


def to_table(rows: list[list[str]]) -> str:
    """Aligned, numbers to the right."""
    head = ["GPU", "GiB", "needs", "tokens/s", "hours", ""]
    return "\n".join(io.align([head, *rows], right=range(1, 5)))
