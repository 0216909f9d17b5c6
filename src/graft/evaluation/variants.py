"""Adapters of one model that were trained with different parameters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from graft.records import Prediction


@dataclass(frozen=True)
class Variant:
    """An adapter, with the completions of it and its base for the test examples.

    Args:
        name: a unique name.
        predictions: of base and tuned model.
        params: parameters of the run, by SECTION.KEY; empty if unknown.
        metrics: speed and memory, by the names of `to_metrics`; may be empty.
        run_id: its MLflow run, or empty.
        version: its registered version, if any.
        aliases: of that version.
    """

    name: str
    predictions: Sequence[Prediction]
    params: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    run_id: str = ""
    version: str | None = None
    aliases: tuple[str, ...] = ()


def comparable(variants: Sequence[Variant]) -> tuple[list[Variant], dict[str, str]]:
    """Variants with the same test examples as the first one.

    Returns: those, with predictions in the same order; and the reason for each other
        one that is left out.
    """
    first = variants[0]
    expected = {row.id: _question(row) for row in first.predictions}
    kept, left_out = [], {}
    for variant in variants:
        rows = {row.id: row for row in variant.predictions}
        mine = {key: _question(row) for key, row in rows.items()}
        if mine == expected:
            kept.append(replace(variant, predictions=[rows[key] for key in expected]))
            continue
        same = sum(expected.get(key) == example for key, example in mine.items())
        left_out[variant.name] = (
            f"not comparable: {same} of its {len(mine)} test examples are among the "
            f"{len(expected)} of {first.name}"
        )
    return kept, left_out


def _question(row: Prediction) -> tuple[object, ...]:
    return row.history, row.prompt, row.references


def differing(variants: Sequence[Variant]) -> list[str]:
    """Parameters in which variants differ."""
    names = {name for variant in variants for name in variant.params}
    values = {
        name: {v.params[name] for v in variants if name in v.params} for name in names
    }
    return sorted(name for name, seen in values.items() if len(seen) > 1)
