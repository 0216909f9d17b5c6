"""The reports of the stages as rows of the card's tables."""

from collections.abc import Mapping
from typing import Any

Row = list[str]


def stage_counts(stages: Mapping[str, Any]) -> list[Row]:
    """Stage, input, kept, and the rest by reason."""
    rows = []
    for stage in ("convert", "preprocess"):
        if report := stages.get(stage):
            rejected: Mapping[str, int] = report["rejected"]
            lost = [f"{count:,} {why}" for why, count in rejected.items() if count]
            rows.append([stage, report["rows_in"], report["kept"], lost])
    if report := stages.get("tokenize"):
        counts = dict(report["counts"])
        examples, sequences = counts.pop("examples"), counts.pop("sequences")
        rows.append(["tokenize", examples, sequences, _named(counts)])
    if report := stages.get("split"):
        counts = dict(report["counts"])
        parts = [counts.pop(part) for part in ("train", "validation", "test")]
        rows.append(["split", None, sum(parts), _named(counts)])
    return [
        [stage, "as above" if taken is None else f"{taken:,}", f"{kept:,}", _join(lost)]
        for stage, taken, kept, lost in rows
    ]


def _named(counts: Mapping[str, int]) -> list[str]:
    return [f"{count:,} {name.replace('_', ' ')}" for name, count in counts.items()]


def _join(words: list[str]) -> str:
    return ", ".join(words) or "nothing"


def training_facts(report: Mapping[str, Any], machine: Mapping[str, Any]) -> list[Row]:
    """Facts about training and its machine."""
    rows = [
        [title, f"{report[key]:,}"]
        for key, title in TRAINING.items()
        if report.get(key) is not None
    ]
    if machine:
        rows += [
            ["device", machine["device"]],
            ["peak memory, GiB", f"{machine['memory_gib']:.2f}"],
            ["time since the last start, s", f"{machine['seconds']:,.0f}"],
        ]
    return rows


TRAINING = {
    "num_documents": "training sequences",
    "num_sequences": "after packing",
    "packing_efficiency": "share of their tokens that is not padding",
    "num_steps": "steps",
    "num_steps_planned": "steps planned",
    "best_step": "step of the selected checkpoint",
    "validation_loss": "its validation loss, nats per token",
    "num_tokens_seen": "tokens seen",
    "num_trained_tokens": "trained tokens per epoch",
}
