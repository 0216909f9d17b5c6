"""Raters' answers side by side, and as matrices for the statistics."""

from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from graft.errors import DataError
from graft.evaluation.review.filled import Cell
from graft.evaluation.review.key import QUESTIONS, Key, Kind, ShownItem, System
from graft.evaluation.review.statistics import LOSS, TIE, WIN
from graft.metrics.statistics import Array

Question = tuple[str, str]
"""An item, and what is asked of it."""


@dataclass(frozen=True)
class ReviewAnswers:
    """What all raters of one sheet said: rater → item and question → answer.

    Raters are in the order of their names; one who left all empty is there too.
    """

    kind: Kind
    key: Key
    said: Mapping[str, Mapping[Question, str]]

    @classmethod
    def of(cls, kind: Kind, key: Key, cells: Iterable[Cell]) -> Self:
        """Gather the cells of one sheet from all files.

        A rater may save twice, as CSV and JSON or half-way: equal answers count once,
        and a filled one goes before an empty one.
        Raises: DataError if two files have a rater answer differently.
        """
        said: dict[str, dict[Question, Cell]] = {}
        for cell in cells:
            if cell.kind == kind:
                mine = said.setdefault(cell.rater, {})
                if cell.value:
                    _add(mine, cell)
        return cls(
            kind,
            key,
            {
                rater: {place: cell.value for place, cell in said[rater].items()}
                for rater in sorted(said)
            },
        )

    @property
    def num_missing(self) -> dict[str, int]:
        """Questions that each rater left open."""
        asked = len(self.key.items(self.kind)) * len(QUESTIONS[self.kind])
        return {rater: asked - len(filled) for rater, filled in self.said.items()}

    def codes(self, question: str) -> Array:
        """Answers as the raters saw them, by their place among those one may give.

        Returns: shape [raters, items]; NaN if missing.
        """
        codes = enumerate(QUESTIONS[self.kind][question])
        return self._matrix(
            question, list(self._items), {text: float(place) for place, text in codes}
        )

    def votes(self) -> Array:
        """Pairs as wins, ties and losses of the tuned model, shape [raters, pairs]."""
        shown = [row.systems for row in self._items.values()]
        flips = np.array([1.0 if systems[0] == "tuned" else -1.0 for systems in shown])
        points = {"A": WIN - TIE, "tie": 0.0, "B": LOSS - TIE}  # for the first
        return TIE + flips * self._matrix("choice", list(self._items), points)

    def ratings(self, question: str, system: System) -> Array:
        """Grades of a system's answers, shape [raters, examples].

        The examples are in the same order for both systems.
        """
        items = {
            row.example: name
            for name, row in self._items.items()
            if system in row.systems
        }
        grades = {text: float(text) for text in QUESTIONS[self.kind][question]}
        return self._matrix(question, [items[name] for name in sorted(items)], grades)

    @property
    def _items(self) -> Mapping[str, ShownItem]:
        return self.key.items(self.kind)

    def _matrix(
        self, question: str, items: Sequence[str], values: Mapping[str, float]
    ) -> Array:
        """What answers are worth, shape [raters, items]; NaN if missing."""
        rows = [
            [values.get(filled.get((item, question), ""), np.nan) for item in items]
            for filled in self.said.values()
        ]
        return np.array(rows, dtype=np.float64).reshape(len(rows), len(items))


def _add(mine: MutableMapping[Question, Cell], cell: Cell) -> None:
    before = mine.setdefault((cell.item, cell.question), cell)
    if before.value != cell.value:
        raise DataError(
            cell.where,
            f"{cell.rater} says {cell.value} to the {cell.question} of {cell.item}, "
            f"but {before.value} in {before.where}",
            expected="one answer of each rater to each question",
            fix="leave the older file out, or give two raters different names",
        )
