"""The results of a review: win rate, sign test, mean ratings, inter-rater agreement."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from graft.evaluation.review.answers import ReviewAnswers
from graft.evaluation.review.key import QUESTIONS, Key, System
from graft.evaluation.review.responses import Cell
from graft.evaluation.review.statistics import agreement, mean_over_items, sign_test
from graft.records import Score

DIGITS = 4
"""Decimal digits in the report."""
SYSTEMS: tuple[System, ...] = ("base", "tuned")


def to_report(key: Key, cells: Iterable[Cell]) -> dict[str, Any]:
    """The report as JSON; it does not depend on the order of files.

    A sheet without responses is null. Intervals are 95 % bootstrap intervals over
    items, or over examples for ratings.
    Raises: DataError if files contradict each other.
    """
    cells = list(cells)
    pairs, rated = ReviewAnswers.of("ab", key, cells), ReviewAnswers.of(
        "rating", key, cells
    )
    return {
        "sheet": key.sheet,
        "run_id": key.run_id,
        "seed": key.seed,
        "num_predictions": key.num_predictions,
        "num_identical": key.num_identical,
        "ab": _ab(pairs) if pairs.responses else None,
        "rating": _rating(rated) if rated.responses else None,
    }


def _ab(answers: ReviewAnswers) -> dict[str, Any]:
    votes = answers.votes()
    return _counts(answers) | {
        "win_rate": _plain(mean_over_items(votes, answers.key.seed)),
        "sign_test": asdict(sign_test(votes)),
        "agreement": asdict(agreement(answers.codes("choice"), "nominal")),
    }


def _rating(answers: ReviewAnswers) -> dict[str, Any]:
    seed = answers.key.seed
    questions = {}
    for question in QUESTIONS["rating"]:
        grades = {system: answers.ratings(question, system) for system in SYSTEMS}
        means = {
            system: _plain(mean_over_items(values, seed))
            for system, values in grades.items()
        }
        # Paired by rater and example, so that differences between these cancel.
        gains = grades["tuned"] - grades["base"]
        questions[question] = means | {
            "difference": _plain(mean_over_items(gains, seed)),
            "agreement": asdict(agreement(answers.codes(question), "ordinal")),
        }
    return _counts(answers) | {"questions": questions}


def _counts(answers: ReviewAnswers) -> dict[str, Any]:
    return {
        "num_items": len(answers.key.items(answers.kind)),
        "num_raters": len(answers.responses),
        "num_missing": answers.num_missing,
    }


def _plain(score: Score | None) -> dict[str, float] | None:
    if score is None:
        return None
    return {
        name: round(getattr(score, name), DIGITS) for name in ("value", "low", "high")
    }


def to_metrics(report: Mapping[str, Any]) -> dict[str, float]:
    """All computed numbers of a report, by their names in the tracking run."""
    found: dict[str, float | None] = {}
    if pairs := report["ab"]:
        found |= _spread("win_rate", pairs["win_rate"])
        found |= {f"sign_test/{name}": n for name, n in pairs["sign_test"].items()}
        found["choice/alpha"] = pairs["agreement"]["alpha"]
        found["ab/num_raters"] = pairs["num_raters"]
        found["ab/num_missing"] = sum(pairs["num_missing"].values())
    if rated := report["rating"]:
        for question, row in rated["questions"].items():
            for system in (*SYSTEMS, "difference"):
                found |= _spread(f"{question}/{system}", row[system])
            found[f"{question}/alpha"] = row["agreement"]["alpha"]
        found["rating/num_raters"] = rated["num_raters"]
        found["rating/num_missing"] = sum(rated["num_missing"].values())
    return {f"review/{name}": n for name, n in found.items() if n is not None}


def _spread(name: str, score: Mapping[str, float] | None) -> dict[str, float]:
    if score is None:
        return {}
    bounds = {f"{name}_{bound}": score[bound] for bound in ("low", "high")}
    return {name: score["value"]} | bounds
