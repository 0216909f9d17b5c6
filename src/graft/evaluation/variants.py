"""Adapters that were trained alike but for some parameters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from graft.evaluation.scoring import Prediction


@dataclass(frozen=True)
class Variant:
    """An adapter, and what it and its base say to the test examples.

    Args:
        name: that tells it apart.
        predictions: of base and tuned model.
        params: by SECTION.KEY, as the run was made with; empty if they are not known.
        metrics: speed and memory by the names of `to_metrics`; may be empty.
        run_id: its MLflow run, or empty.
        version: that it is registered as, if it is.
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
    """Variants that answered the same test examples as the first one.

    Returns: those, their predictions in one order; and of each other one, why it is
        left out.
    """
    first = variants[0]
    asked = {row.id: _question(row) for row in first.predictions}
    kept, left_out = [], {}
    for variant in variants:
        rows = {row.id: row for row in variant.predictions}
        mine = {key: _question(row) for key, row in rows.items()}
        if mine == asked:
            kept.append(replace(variant, predictions=[rows[key] for key in asked]))
            continue
        same = sum(asked.get(key) == example for key, example in mine.items())
        left_out[variant.name] = (
            f"not comparable: {same} of its {len(mine)} test examples are among the "
            f"{len(asked)} of {first.name}"
        )
    return kept, left_out


def _question(row: Prediction) -> tuple[object, ...]:
    return row.history, row.prompt, row.references


def differing(variants: Sequence[Variant]) -> list[str]:
    """Parameters that two variants have with different values."""
    names = {name for variant in variants for name in variant.params}
    values = {
        name: {v.params[name] for v in variants if name in v.params} for name in names
    }
    return sorted(name for name, seen in values.items() if len(seen) > 1)
