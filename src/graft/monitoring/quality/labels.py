"""Grades of raters for served answers: labels that come days after the answers."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

import numpy as np

from graft.evaluation.review.answers import ReviewAnswers
from graft.evaluation.review.key import QUESTIONS, Key
from graft.evaluation.review.responses import Cell
from graft.evaluation.review.statistics import mean_over_items
from graft.monitoring.quality.answers import version_of


def to_grades(key: Key, cells: Iterable[Cell]) -> dict[str, dict[str, Any]]:
    """Mean grades of each version by question, with 95 % bootstrap intervals.

    Args:
        key: of sheets that `graft review --requests` wrote.
        cells: of the completed sheets.
    Raises: DataError if files contradict each other.
    """
    answers = ReviewAnswers.of("rating", key, cells)
    shown = sorted(key.rating.values(), key=lambda item: item.example)
    columns = defaultdict[str, list[int]](list)
    for column, item in enumerate(shown):
        columns[version_of(item.stratum)].append(column)
    report: dict[str, dict[str, Any]] = {version: {} for version in sorted(columns)}
    for question in QUESTIONS["rating"]:
        grades = answers.ratings(question, "tuned")  # [raters, examples]
        for version in report:
            of_version = grades[:, columns[version]]
            score = mean_over_items(of_version, key.seed)
            number = int((~np.isnan(of_version)).any(axis=0).sum())
            value = {"number": number, "value": None, "low": None, "high": None}
            if score is not None:
                fields = asdict(score)
                value |= {name: fields[name] for name in ("value", "low", "high")}
            report[version][question] = value
    return report
