"""The responses of all raters, as matrices for the statistics."""

from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from graft.errors import DataError
from graft.evaluation.review.key import QUESTIONS, Key, Kind, ShownItem, System
from graft.evaluation.review.responses import Cell
from graft.evaluation.review.statistics import LOSS, TIE, WIN
from graft.metrics.statistics import Array

Question = tuple[str, str]
"""An item, and a question about it."""


@dataclass(frozen=True)
class ReviewAnswers:
    """The responses to one sheet: rater → (item, question) → answer.

    Raters are sorted by name and include those without any answer.
    """

    kind: Kind
    key: Key
    responses: Mapping[str, Mapping[Question, str]]

    @classmethod
    def of(cls, kind: Kind, key: Key, cells: Iterable[Cell]) -> Self:
        """Collect the cells of one sheet from all files.

        A rater may save several files, as CSV and JSON or in between: equal answers
        count once, and an answer overrides an empty cell.
        Raises: DataError if two files contain different answers of a rater.
        """
        cells_of: dict[str, dict[Question, Cell]] = {}
        for cell in cells:
            if cell.kind == kind:
                mine = cells_of.setdefault(cell.rater, {})
                if cell.value:
                    _add(mine, cell)
        return cls(
            kind,
            key,
            {
                rater: {place: cell.value for place, cell in cells_of[rater].items()}
                for rater in sorted(cells_of)
            },
        )

    @property
    def num_missing(self) -> dict[str, int]:
        """Number of unanswered questions per rater."""
        number = len(self.key.items(self.kind)) * len(QUESTIONS[self.kind])
        return {rater: number - len(mine) for rater, mine in self.responses.items()}

    def codes(self, question: str) -> Array:
        """Answers as indices into the allowed answers.

        Returns: shape [raters, items]; NaN if missing.
        """
        codes = enumerate(QUESTIONS[self.kind][question])
        return self._matrix(
            question, list(self._items), {text: float(place) for place, text in codes}
        )

    def votes(self) -> Array:
        """Wins, ties and losses of the tuned model, shape [raters, pairs]."""
        shown = [row.systems for row in self._items.values()]
        flips = np.array([1.0 if systems[0] == "tuned" else -1.0 for systems in shown])
        points = {"A": WIN - TIE, "tie": 0.0, "B": LOSS - TIE}  # of the first answer
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
        """Answers as numbers, shape [raters, items]; NaN if missing."""
        rows = [
            [values.get(mine.get((item, question), ""), np.nan) for item in items]
            for mine in self.responses.values()
        ]
        return np.array(rows, dtype=np.float64).reshape(len(rows), len(items))


def _add(mine: MutableMapping[Question, Cell], cell: Cell) -> None:
    before = mine.setdefault((cell.item, cell.question), cell)
    if before.value != cell.value:
        raise DataError(
            cell.where,
            f"{cell.rater} answered {cell.value} to {cell.question} of {cell.item}, "
            f"but {before.value} in {before.where}",
            expected="one answer per rater and question",
            fix="remove the older file, or give the two raters different names",
        )
