"""A registered version with everything that the gate compares."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from graft import io
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


def digest_test_set(predictions: Sequence[Prediction]) -> str:
    """A digest of the questions and references, whatever their order."""
    rows = sorted(
        json.dumps([row.id, row.history, row.prompt, row.references], sort_keys=True)
        for row in predictions
    )
    return io.digest("\n".join(rows).encode())


def digest_answers(predictions: Sequence[Prediction]) -> str:
    """A digest of the tuned model's completions and likelihoods, whatever their
    order."""
    rows = sorted(json.dumps([row.id, row.tuned, row.tuned_nll]) for row in predictions)
    return io.digest("\n".join(rows).encode())
