"""What raters saved, CSV or JSON → answers, each checked against the key."""

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
    """A rater's answer to one question on one item; empty if it was not filled in.

    `where` is the file and its row, or the item in a JSON file.
    """

    where: str
    sheet: str
    rater: str
    item: str
    kind: Kind
    question: str
    value: str


class _Form(BaseModel):
    """The JSON that a sheet saves."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sheet: str
    rater: str
    answers: dict[str, dict[str, str | StrictInt | None]]


def read_filled(path: Path, key: Key) -> list[Cell]:
    """Read the answers of a file. No row is skipped: each counts or is an error.

    Args:
        path: `.json`, or CSV with a comma, semicolon or tab.
        key: of the review that it should be for.
    Raises: DataError with the row, if the file is for another review, has an unknown
        item, column or answer, or names no rater.
    """
    read = _read_json if path.suffix.lower() == ".json" else _read_csv
    cells = list(read(path))
    if not cells:
        raise DataError(
            str(path), "holds no item", expected="a filled sheet", fix=SAVE_AGAIN
        )
    for cell in cells:
        _check(cell, key)
    return cells


def _read_json(path: Path) -> Iterator[Cell]:
    try:
        form = _Form.model_validate(read_json(path))
    except ValidationError as error:
        first = error.errors()[0]
        raise DataError(
            str(path),
            f"not a filled sheet: {'.'.join(map(str, first['loc']))}: {first['msg']}",
            expected="the JSON that the sheet's page saves",
            fix=SAVE_AGAIN,
        ) from error
    for item, answers in form.answers.items():
        where = f"{path}: {item}"
        row = {
            name: "" if value is None else str(value).strip()
            for name, value in answers.items()
        }
        yield from _cells(where, form.sheet, form.rater, item, row)


def _read_csv(path: Path) -> Iterator[Cell]:
    expected = "the CSV that the sheet's page saves"
    for where, row in read_spreadsheet(path, COLUMNS, expected=expected):
        sheet, rater, item = (row.pop(name) for name in COLUMNS)
        yield from _cells(where, sheet, rater, item, row)


def _cells(
    where: str, sheet: str, rater: str, item: str, answers: Mapping[str, str]
) -> Iterator[Cell]:
    """One cell a question. Raises: DataError if they are of no sheet of ours."""
    kind = next((k for k in get_args(Kind) if set(QUESTIONS[k]) == set(answers)), None)
    if kind is None:
        raise _misfit(where, f"questions {shorten(', '.join(answers)) or 'missing'}")
    for question, value in answers.items():
        yield Cell(where, sheet, rater.strip(), item, kind, question, value)


def _misfit(where: str, problem: str) -> DataError:
    forms = (", ".join([*COLUMNS, *questions]) for questions in QUESTIONS.values())
    return DataError(where, problem, expected=" or ".join(forms), fix=SAVE_AGAIN)


def _check(cell: Cell, key: Key) -> None:
    if cell.sheet != key.sheet:
        raise DataError(
            cell.where,
            f"is for {shorten(cell.sheet) or 'no review'}; the key is of {key.sheet}",
            expected="a file and a key of the same review",
            fix="name that review's key: --key FILE, or leave this file out",
        )
    if not cell.rater:
        raise DataError(
            cell.where,
            "names no rater",
            expected="a name, which tells raters apart",
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
            expected=f"{', '.join(allowed)}, or nothing",
            fix="correct the answer, or leave it empty: it is counted as missing",
        )
