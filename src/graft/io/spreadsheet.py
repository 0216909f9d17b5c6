"""CSV files exported from spreadsheets."""

import csv
from collections.abc import Collection, Iterator
from io import StringIO
from pathlib import Path

from graft.errors import DataError
from graft.io.files import storage_error


def read_spreadsheet(
    path: Path, columns: Collection[str], *, expected: str
) -> Iterator[tuple[str, dict[str, str]]]:
    """Rows by column name, each with its place: `FILE: row N`, the header being row 1.

    Accepts commas, semicolons or tabs, in UTF-8, UTF-16 or cp1252. Skips empty rows,
    and strips white space around cells and column names.

    Args:
        columns: names that the header must contain, in lower case; their order does
            not matter.
        expected: description of the file, for messages.
    Raises: DataError if it is another file, or a row has more cells than the header;
        StorageError.
    """
    text = _to_text(path, expected)
    delimiter = _delimiter(text.partition("\n")[0], columns)
    if delimiter is None:
        names = ", ".join(columns)
        raise _no_such_file(str(path), f"lacks one of the columns {names}", expected)
    rows = csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        header: list[str] = []
        for number, values in enumerate(rows, 1):
            cells = [value.strip() for value in values]
            if number == 1:
                header = [name.lower() for name in cells]
                continue
            if any(cells[len(header) :]):
                found = f"{len(cells)} cells under {len(header)} columns"
                raise _no_such_file(f"{path}: row {number}", found, expected)
            if any(cells):
                cells += [""] * (len(header) - len(cells))
                yield f"{path}: row {number}", dict(zip(header, cells, strict=False))
    except csv.Error as error:
        raise _no_such_file(str(path), f"is not CSV: {error}", expected) from error


def _to_text(path: Path, expected: str) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise storage_error(path, error) from error
    if data.startswith(b"PK\x03\x04"):
        raise _no_such_file(str(path), "is a workbook, not CSV", expected)
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def _delimiter(header: str, columns: Collection[str]) -> str | None:
    """The first delimiter under which the header has all columns."""
    for delimiter in ",;\t":
        cells = next(csv.reader([header], delimiter=delimiter), [])
        if set(columns) <= {cell.strip().lower() for cell in cells}:
            return delimiter
    return None


def _no_such_file(where: str, problem: str, expected: str) -> DataError:
    return DataError(
        where,
        problem,
        expected=expected,
        fix="save it as CSV, with all columns; if a whole row is in one cell, open "
        "it again as text with commas between cells (Excel: Data > From Text/CSV)",
    )
