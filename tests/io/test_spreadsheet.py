"""CSV files as spreadsheet programs save them."""

from pathlib import Path

import pytest

from graft.errors import DataError
from graft.io import read_spreadsheet

COLUMNS = ("key", "decision")


def read(path: Path) -> list[tuple[str, dict[str, str]]]:
    return list(read_spreadsheet(path, COLUMNS, expected="the review file"))


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_rows_are_read_by_name_in_every_format_of_spreadsheets(
    tmp_path: Path, delimiter: str, encoding: str
) -> None:
    lines = [["Decision", " note ", "KEY"], ["yes", "é", "1"], ["", "", ""], ["no"]]
    path = tmp_path / "review.csv"
    text = "\r\n".join(delimiter.join(line) for line in lines)
    path.write_bytes(text.encode(encoding))
    assert read(path) == [
        (f"{path}: row 2", {"decision": "yes", "note": "é", "key": "1"}),
        (f"{path}: row 4", {"decision": "no", "note": "", "key": ""}),
    ]


def test_a_line_end_inside_quotes_does_not_end_a_row(tmp_path: Path) -> None:
    path = tmp_path / "review.csv"
    path.write_text('key,decision\n1,"a\nb"\n2,no\n', encoding="utf-8")
    assert [where for where, _ in read(path)] == [f"{path}: row 2", f"{path}: row 3"]


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"PK\x03\x04", "is a workbook, not CSV"),
        (b"key,note\n", "lacks one of the columns key, decision"),
        (b"key,decision\n1,no,x", "row 2: 3 cells under 2 columns"),
        (b'key,decision\n1,"no', "is not CSV: unexpected end of data"),
    ],
)
def test_another_file_is_an_error_with_a_fix(
    tmp_path: Path, data: bytes, problem: str
) -> None:
    path = tmp_path / "review.csv"
    path.write_bytes(data)
    with pytest.raises(DataError, match=problem) as caught:
        read(path)
    assert caught.value.fix and caught.value.expected == "the review file"
