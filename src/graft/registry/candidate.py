"""A registered version with everything that the gate compares."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from graft.evaluation.variants import Variant, comparable
from graft.records import Prediction


@dataclass(frozen=True)
class Candidate:
    """A version, its predictions for the test examples, and its costs.

    Args:
        version: its number.
        predictions: those of its evaluation; the column `tuned` is compared.
        tags: of the version.
        metrics: of its run, by the names of `graft.evaluation.outputs.to_metrics`.
        device: on which they were measured; empty if unknown.
    """

    version: str
    predictions: Sequence[Prediction]
    tags: Mapping[str, str]
    metrics: Mapping[str, float]
    device: str = ""


def aligned(
    challenger: Candidate, champion: Candidate
) -> tuple[Candidate, Candidate] | str:
    """Both with their predictions in the same order; or why their test examples
    differ."""
    variants = [
        Variant(f"version {one.version}", one.predictions)
        for one in (champion, challenger)
    ]
    kept, reasons = comparable(variants)
    if reasons:
        return next(iter(reasons.values()))
    pair = [
        replace(one, predictions=variant.predictions)
        for one, variant in zip((champion, challenger), kept, strict=True)
    ]
    return pair[1], pair[0]
