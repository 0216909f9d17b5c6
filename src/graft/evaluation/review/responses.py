"""Read the files that raters saved, CSV or JSON, and check them against the key."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from pydantic import BaseModel, ConfigDict, StrictInt, ValidationError

from graft.errors import DataError
from graft.evaluation.review.key import QUESTIONS, Key, Kind
from graft.io import read_json, read_spreadsheet
from graft.records import shorten

COLUMNS = ("sheet", "rater", "item")
SAVE_AGAIN = "save the sheet again from its page, or correct the file"


@dataclass(frozen=True)
class Cell:
    """A rater's answer to one question on one item; empty if there is none.

    `where` is the file and its row, or the item in a JSON file.
    """

    where: str
    sheet: str
    rater: str
    item: str
    kind: Kind
    question: str
    value: str


class _SavedSheet(BaseModel):
    """The JSON that a sheet saves."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sheet: str
    rater: str
    answers: dict[str, dict[str, str | StrictInt | None]]


def read_responses(path: Path, key: Key) -> list[Cell]:
    """Read the responses in a file. Every row counts or is an error.

    Args:
        path: `.json`, or CSV with a comma, semicolon or tab.
        key: of the review.
    Raises: DataError with the row, if the file belongs to another review, has an
        unknown item, column or answer, or no name of the rater.
    """
    read = _read_json if path.suffix.lower() == ".json" else _read_csv
    cells = list(read(path))
    if not cells:
        raise DataError(
            str(path), "contains no items", expected="a saved sheet", fix=SAVE_AGAIN
        )
    for cell in cells:
        _check(cell, key)
    return cells


def _read_json(path: Path) -> Iterator[Cell]:
    try:
        saved = _SavedSheet.model_validate(read_json(path))
    except ValidationError as error:
        first = error.errors()[0]
        raise DataError(
            str(path),
            f"not a saved sheet: {'.'.join(map(str, first['loc']))}: {first['msg']}",
            expected="the JSON that the sheet's page saves",
            fix=SAVE_AGAIN,
        ) from error
    for item, answers in saved.answers.items():
        where = f"{path}: {item}"
        row = {
            name: "" if value is None else str(value).strip()
            for name, value in answers.items()
        }
        yield from _cells(where, saved.sheet, saved.rater, item, row)


def _read_csv(path: Path) -> Iterator[Cell]:
    expected = "the CSV that the sheet's page saves"
    for where, row in read_spreadsheet(path, COLUMNS, expected=expected):
        sheet, rater, item = (row.pop(name) for name in COLUMNS)
        yield from _cells(where, sheet, rater, item, row)


def _cells(
    where: str, sheet: str, rater: str, item: str, answers: Mapping[str, str]
) -> Iterator[Cell]:
    """One cell per question. Raises: DataError if the questions are those of no
    sheet."""
    kind = next((k for k in get_args(Kind) if set(QUESTIONS[k]) == set(answers)), None)
    if kind is None:
        columns = (", ".join([*COLUMNS, *names]) for names in QUESTIONS.values())
        raise DataError(
            where,
            f"questions {shorten(', '.join(answers)) or 'missing'}",
            expected=" or ".join(columns),
            fix=SAVE_AGAIN,
        )
    for question, value in answers.items():
        yield Cell(where, sheet, rater.strip(), item, kind, question, value)


def _check(cell: Cell, key: Key) -> None:
    if cell.sheet != key.sheet:
        raise DataError(
            cell.where,
            f"is of {shorten(cell.sheet) or 'no review'}, but the key of {key.sheet}",
            expected="a file and a key of the same review",
            fix="pass the key of that review: --key FILE, or remove this file",
        )
    if not cell.rater:
        raise DataError(
            cell.where,
            "has no name of the rater",
            expected="a name that identifies the rater",
            fix="write the rater's name into the file",
        )
    items = key.items(cell.kind)
    if cell.item not in items:
        raise DataError(
            cell.where,
            f"the sheet has no item {shorten(cell.item)!r}",
            expected=" to ".join([*items][:: max(len(items) - 1, 1)]) or "none",
            fix=SAVE_AGAIN,
        )
    allowed = QUESTIONS[cell.kind][cell.question]
    if cell.value and cell.value not in allowed:
        raise DataError(
            cell.where,
            f"{cell.question} is {shorten(cell.value)!r}",
            expected=f"{', '.join(allowed)}, or empty",
            fix="correct the answer, or leave it empty to count it as missing",
        )
