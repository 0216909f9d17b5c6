"""Score predictions: base, tuned and their difference, with confidence intervals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from graft.config import EvaluateConfig
from graft.metrics import Comparison, Metric, Segments, compare
from graft.records import Prediction

DIGITS = 2
"""Decimal digits of scores in reports. SacreBLEU's authors recommend one; with two,
rounding does not hide differences."""
SYSTEMS = ("base", "tuned", "difference")
ALONE = "\0"
"""Prefix of the id of an example without a group; no name of a group begins with it."""


@dataclass(frozen=True)
class Scores:
    """Comparisons by metric, over all predictions and in each stratum.

    `not_computed`: metric → reason.
    """

    num_examples: int
    overall: dict[str, Comparison]
    strata: dict[str, tuple[int, dict[str, Comparison]]]
    not_computed: dict[str, str]


def to_segments(
    predictions: Sequence[Prediction], system: Literal["base", "tuned"]
) -> Segments:
    """The completions of a system, and its likelihoods of the references."""
    nlls = [getattr(row, f"{system}_nll") for row in predictions]
    measured = None not in nlls
    counts = [(row.num_tokens, row.num_bytes) for row in predictions]
    terms = [[nll, *pair] for nll, pair in zip(nlls, counts, strict=True)]
    return Segments(
        completions=[getattr(row, system) for row in predictions],
        references=[row.references for row in predictions],
        strata=[row.stratum for row in predictions],
        likelihoods=np.array(terms, dtype=float) if measured else None,
        groups=[row.group or f"{ALONE}{row.id}" for row in predictions],
    )


def score(
    predictions: Sequence[Prediction],
    metrics: Sequence[Metric],
    config: EvaluateConfig,
) -> Scores:
    """Score base and tuned completions. Raises: ValueError if there are none."""
    uncomputed = not_computed(predictions, metrics)
    metrics = [metric for metric in metrics if metric.name not in uncomputed]

    def over(rows: Sequence[Prediction]) -> dict[str, Comparison]:
        return compare(
            metrics,
            to_segments(rows, "base"),
            to_segments(rows, "tuned"),
            num_resamples=config.num_resamples,
            seed=config.seed,
            min_differences=config.min_differences,
        )

    groups: dict[str, list[Prediction]] = {}
    for row in predictions:
        groups.setdefault(row.stratum, []).append(row)
    strata = {name: (len(groups[name]), over(groups[name])) for name in sorted(groups)}
    return Scores(len(predictions), over(predictions), strata, uncomputed)


def not_computed(
    predictions: Sequence[Prediction], metrics: Sequence[Metric]
) -> dict[str, str]:
    """Metrics that cannot be computed for these predictions: name → reason."""
    measured = all(None not in (row.base_nll, row.tuned_nll) for row in predictions)
    references = [row.references for row in predictions]
    no_likelihoods = "the predictions have no likelihoods; stage evaluate measures them"
    return {
        metric.name: reason
        for metric in metrics
        if (
            reason := metric.missing()
            or metric.unsuitable(references)
            or ("" if measured or metric.of != "likelihood" else no_likelihoods)
        )
    }


def to_report(scores: Scores) -> dict[str, Any]:
    """The report as JSON; equal predictions give equal bytes."""
    report: dict[str, Any] = {"num_examples": scores.num_examples}
    report |= {system: values(scores.overall, system) for system in SYSTEMS}
    report["intervals"] = {
        system: {
            name: [round(bound, DIGITS) for bound in (found.low, found.high)]
            for name, found in of_system(scores.overall, system).items()
        }
        for system in SYSTEMS
    }
    report["significant_differences"] = [
        name for name, found in scores.overall.items() if found.is_significant
    ]
    report["relative_changes"] = [
        f"{name}: {found.relative_change:+.1f} %"
        for name, found in scores.overall.items()
        if found.relative_change is not None
    ]
    report["signatures"] = [
        f"{name}: {found.tuned.signature}" for name, found in scores.overall.items()
    ]
    report["gold"] = [
        f"{name}: {found.gold.value:.{DIGITS}f}"
        for name, found in scores.overall.items()
        if found.gold is not None
    ]
    report["not_computed"] = [
        f"{name}: {reason}" for name, reason in scores.not_computed.items()
    ]
    report["strata"] = [
        {
            "stratum": stratum,
            "num_examples": num_examples,
            "base": values(compared, "base"),
            "tuned": values(compared, "tuned"),
        }
        for stratum, (num_examples, compared) in scores.strata.items()
    ]
    return report


def of_system(compared: Mapping[str, Comparison], system: str) -> dict[str, Any]:
    """Scores by metric of `base`, `tuned` or their `difference`."""
    return {name: getattr(found, system) for name, found in compared.items()}


def values(compared: Mapping[str, Comparison], system: str) -> dict[str, float]:
    """Rounded values by metric of `base`, `tuned` or their `difference`."""
    found = of_system(compared, system)
    return {name: round(score.value, DIGITS) for name, score in found.items()}


def choose_samples(predictions: Sequence[Prediction], number: int) -> list[Prediction]:
    """A fixed sample of predictions, spread evenly over and within the strata."""
    ordered = sorted(predictions, key=lambda row: (row.stratum, row.id))
    number = min(number, len(ordered))
    return [ordered[index * len(ordered) // number] for index in range(number)]
