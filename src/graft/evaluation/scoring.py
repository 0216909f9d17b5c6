"""Predictions → the report: base and tuned side by side, with intervals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graft.config import EvaluateConfig
from graft.metrics import Comparison, Metric, compare

DIGITS = 2
"""Of a score in reports. SacreBLEU's authors advise one; two keep rounding away from
differences."""
SYSTEMS = ("base", "tuned", "difference")


@dataclass(frozen=True)
class Prediction:
    """What both models say to one test example; a row of `PREDICTION_SCHEMA`."""

    id: str
    stratum: str
    prompt: str
    references: list[str]
    base: str
    tuned: str


@dataclass(frozen=True)
class Scores:
    """Comparisons by metric, over all predictions and in each stratum."""

    num_examples: int
    overall: dict[str, Comparison]
    strata: dict[str, tuple[int, dict[str, Comparison]]]


def score(
    predictions: Sequence[Prediction],
    metrics: Sequence[Metric],
    config: EvaluateConfig,
) -> Scores:
    """Score base and tuned completions. Raises: ValueError if there is none."""

    def over(rows: Sequence[Prediction]) -> dict[str, Comparison]:
        return compare(
            metrics,
            [row.base for row in rows],
            [row.tuned for row in rows],
            [row.references for row in rows],
            num_resamples=config.num_resamples,
            seed=config.seed,
        )

    groups: dict[str, list[Prediction]] = {}
    for row in predictions:
        groups.setdefault(row.stratum, []).append(row)
    strata = {name: (len(groups[name]), over(groups[name])) for name in sorted(groups)}
    return Scores(len(predictions), over(predictions), strata)


def to_report(scores: Scores) -> dict[str, Any]:
    """The report's JSON: equal predictions make equal bytes.

    `dvc metrics show` makes a column of every number that is not in a list. The values
    are therefore numbers, and all that qualifies them stands in lists.
    """
    report: dict[str, Any] = {"num_examples": scores.num_examples}
    report |= {system: values(scores.overall, system) for system in SYSTEMS}
    report["intervals"] = {
        system: {
            name: [round(bound, DIGITS) for bound in (found.low, found.high)]
            for name, found in of_system(scores.overall, system).items()
        }
        for system in SYSTEMS
    }
    report["real_differences"] = [
        name for name, found in scores.overall.items() if found.is_real
    ]
    report["signatures"] = [
        f"{name}: {found.tuned.signature}" for name, found in scores.overall.items()
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
    """Predictions spread evenly over the strata and within each, always the same."""
    ordered = sorted(predictions, key=lambda row: (row.stratum, row.id))
    number = min(number, len(ordered))
    return [ordered[index * len(ordered) // number] for index in range(number)]
