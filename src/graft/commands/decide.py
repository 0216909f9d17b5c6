"""`graft decide`: what a person decided about personal data, for `preprocess`."""

import csv
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

from graft import io
from graft.curation.decisions import KEY_MARK, PERSONAL, Placed, store_personal
from graft.errors import DataError

REVIEW = Path("data/review/personal_data.csv")


def run(review: Path = REVIEW, /, *, decisions: Path = Path("decisions")) -> None:
    """Store the decisions of a filled review file (data/review/personal_data.csv).

    Column `decision` takes yes (it is personal data) or no; an empty cell stays open.
    Later decisions on the same finding replace earlier ones.

    Args:
        review: the filled file.
        decisions: folder of all decisions, which git keeps.
    """
    stored = store_personal(decisions, read_review(review))
    print(f"{review}: {stored.yes:,} yes, {stored.no:,} no, {stored.open:,} open")
    path = decisions / PERSONAL
    if stored.new or stored.changed:
        print(f"{path}: {stored.new:,} new, {stored.changed:,} changed")
        print(f"then\n  dvc repro\n  git add {path}")
    elif stored.yes or stored.no:
        print(f"{path}: has them all already")
    else:
        print("nothing to store: fill the column decision with yes or no")


def read_review(path: Path) -> Iterator[Placed]:
    """The rows that have a key, as a spreadsheet numbers them: the header is row 1.

    Takes CSV as spreadsheet programs save it, with commas, semicolons or tabs.
    Raises: DataError if it is no review file, or a row without a key is decided.
    """
    with StringIO(_to_text(path), newline="") as text:
        header = text.readline()
        delimiter = _delimiter(header, path)
        text.seek(0)
        try:
            names: list[str] = []
            for number, values in enumerate(csv.reader(text, delimiter=delimiter), 1):
                cells = [value.strip() for value in values]
                if not names:
                    names = [name.lower() for name in cells]
                    continue
                row = dict(zip(names, cells, strict=False))
                row["key"] = row.get("key", "").removeprefix(KEY_MARK).lower()
                if row["key"]:
                    yield f"{path}: row {number}", row
                elif row.get("decision"):
                    raise _no_key(f"{path}: row {number}", row["decision"])
        except csv.Error as error:
            raise _no_review(path, f"is no CSV: {error}") from error


def _to_text(path: Path) -> str:
    """The text of a file, in the encodings in which spreadsheets save CSV.

    Keys and decisions are ASCII, so a wrong guess at the rest does no harm.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise io.storage_error(path, error) from error
    if data.startswith(b"PK\x03\x04"):
        raise _no_review(path, "is a workbook, no CSV")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def _delimiter(header: str, path: Path) -> str:
    for delimiter in ",;\t":
        cells = next(csv.reader([header], delimiter=delimiter), [])
        if {"key", "decision"} <= {cell.strip().lower() for cell in cells}:
            return delimiter
    raise _no_review(path, "has no columns decision and key")


def _no_review(path: Path, problem: str) -> DataError:
    return DataError(
        str(path),
        problem,
        expected="the review file of preprocess, its column decision filled in",
        fix="save it as CSV, with all columns; if a whole row stands in one cell, open "
        "it anew as text with commas between the cells (Excel: Data > From Text/CSV)",
    )


def _no_key(place: str, decision: str) -> DataError:
    return DataError(
        place,
        f"decision {decision!r} on a row without a key",
        expected="decisions on findings that wait for one",
        fix="restore the key; or empty the cell: what is only flagged has no key, and "
        "preprocess.pii.actions says what becomes of it",
    )
