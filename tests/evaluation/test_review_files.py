"""Filled files as people spoil them."""

from pathlib import Path
from typing import Any

import pytest
from test_review_answers import KEY, QUESTIONS, prefer, report_of, save_json

from graft import io
from graft.errors import DataError
from graft.evaluation.review.responses import read_responses


def row(**changes: str) -> str:
    values = {"sheet": KEY.sheet, "rater": "Ann", "item": next(iter(KEY.ab))}
    return ",".join((values | {"choice": "A"} | changes).values())


HEAD = "sheet,rater,item,choice\n"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "lacks one of the columns sheet, rater, item"),
        (HEAD, "contains no items"),
        (HEAD + row(sheet="review-0"), "2: is of review-0, but the key of"),
        (HEAD + row(sheet=""), "2: is of no review"),
        (HEAD + row(rater=" "), "2: has no name of the rater"),
        (HEAD + row() + "\n" + row(item="pair-99"), "3: the sheet has no item"),
        (HEAD + row(item="answer-01"), "2: the sheet has no item"),
        (HEAD + row(choice="C"), "2: choice is 'C'"),
        (HEAD + row(choice="a"), "2: choice is 'a'"),
        (HEAD + row() + ",x", "row 2: 5 cells under 4 columns"),
        ("sheet,rater,choice\nx,y,A", "lacks one of the columns sheet, rater, item"),
        ("sheet,rater,item,fluency\nx,y,z,1", "2: questions fluency"),
        ("sheet,rater,item,choice,x\n" + row() + ",1", "2: questions choice, x"),
        (HEAD + row() + "\n" + row(choice="B"), "3: Ann answered B"),
        (HEAD + 'a,"b', "is not CSV: unexpected end of data"),
    ],
)
def test_an_invalid_csv_is_an_error_with_its_row(
    tmp_path: Path, text: str, problem: str
) -> None:
    path = tmp_path / "a.csv"
    path.write_text(text, "utf-8")
    with pytest.raises(DataError) as caught:
        report_of(path)
    assert problem in str(caught.value)
    assert str(caught.value).startswith(str(path))
    assert caught.value.expected and caught.value.fix


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"sheet": "review-0"}, "is of review-0"),
        ({"sheet": None}, "not a saved sheet: sheet"),
        ({"answers": {}}, "contains no items"),
        ({"answers": {"pair-01": {}}}, "pair-01: questions missing"),
        ({"answers": {"pair-01": {"choice": ["A"]}}}, "not a saved sheet: answers"),
        ({"answers": {"pair-01": {"choice": 0}}}, "choice is '0'"),
        ({"answers": {"answer-01": dict.fromkeys(QUESTIONS, 6)}}, " is '6'"),
        ({"more": 1}, "not a saved sheet: more"),
    ],
)
def test_an_invalid_json_is_an_error_with_its_item(
    tmp_path: Path, changes: dict[str, Any], problem: str
) -> None:
    path = save_json(tmp_path / "a.json", "Ann", prefer("tuned"))
    io.write_json(path, io.read_json(path) | changes)
    with pytest.raises(DataError) as caught:
        report_of(path)
    assert problem in str(caught.value)
    assert caught.value.fix


@pytest.mark.parametrize("name", ["a.csv", "a.json"])
def test_an_unreadable_file_is_a_data_error(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    with pytest.raises(DataError, match="no such file"):
        read_responses(path, KEY)
    path.write_bytes(b"\xff\xfe\x00sheet")
    with pytest.raises(DataError, match="lacks one of the columns|not valid JSON"):
        read_responses(path, KEY)
