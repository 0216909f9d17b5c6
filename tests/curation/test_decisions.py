"""Stored decisions, and the review file as spreadsheet programs save it."""

import csv
import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graft.commands import decide
from graft.commands.decide import read_review
from graft.curation.decisions import (
    PERSONAL,
    READMITTED,
    Stored,
    add_readmitted,
    read_decisions,
    remove_readmitted,
    store_personal,
    write_review,
)
from graft.errors import DataError

KEYS = ["0123456789012345", "12345678901234e5", "abcdefabcdefabcd"]
LINES = [
    {
        "key": key,
        "id": "7e83",
        "kind": "card",
        "text": "4111 1111 1111 1112",
        "context": 'ma carte, "la bleue" ;\n4111 1111 1111 1112 à été',
        "why": "wrong checksum",
        "where": f"f.jsonl:{number}",
    }
    for number, key in enumerate(KEYS, 1)
]


def filled(path: Path, words: list[str]) -> list[list[str]]:
    """Header and rows of a review file, with the column `decision` filled."""
    with path.open(newline="", encoding="utf-8-sig") as file:
        header, *rows = csv.reader(file)
    return [
        header,
        *([word, *row[1:]] for word, row in zip(words, rows, strict=True)),
    ]


def save(path: Path, rows: list[list[str]], delimiter: str, encoding: str) -> None:
    with path.open("w", newline="", encoding=encoding) as file:
        csv.writer(file, delimiter=delimiter).writerows(rows)


def decided(path: Path, folder: Path) -> Stored:
    return store_personal(folder, read_review(path))


@pytest.mark.parametrize(
    ("delimiter", "encoding"),
    [(",", "utf-8"), (",", "utf-8-sig"), (";", "cp1252"), ("\t", "utf-16")],
)
def test_a_review_comes_back_from_any_spreadsheet(
    tmp_path: Path, delimiter: str, encoding: str
) -> None:
    review = tmp_path / "review.csv"
    write_review(review, LINES)
    rows = filled(review, ["no", " OUI ", ""])
    rows[1][3] = "two\r\nlines; and\ttabs"
    save(review, [*rows, [""] * 8], delimiter, encoding)
    assert decided(review, tmp_path) == Stored(yes=1, no=1, open=1, new=2, changed=0)
    assert read_decisions(tmp_path).personal == {KEYS[0]: False, KEYS[1]: True}


def test_a_changed_decision_replaces_the_old_one(tmp_path: Path) -> None:
    review = tmp_path / "review.csv"
    write_review(review, LINES)
    found = []
    for words in (["no", "no", ""], ["no", "yes", "yes"], ["", "", ""]):
        save(review, filled(review, words), ",", "utf-8")
        found.append(decided(review, tmp_path))
    assert [(f.new, f.changed) for f in found] == [(2, 0), (1, 1), (0, 0)]
    lines = (tmp_path / PERSONAL).read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["decision"] for line in lines] == ["no", "yes", "yes"]
    assert [json.loads(line)["key"] for line in lines] == KEYS


@pytest.mark.parametrize(
    ("row", "cell", "value", "problem"),
    [
        (2, 0, "maybe", "row 3: decision is 'maybe'"),
        (1, -1, "1,23E+15", "row 2: key is '1,23e+15'"),
        (3, -1, "", "row 4: decision 'no' on a row without a key"),
        (3, -1, "#" + KEYS[0], f"row 4: {KEYS[0]} has a different decision"),
    ],
)
def test_a_wrong_cell_is_an_error_with_its_row_and_nothing_is_stored(
    tmp_path: Path, row: int, cell: int, value: str, problem: str
) -> None:
    review = tmp_path / "review.csv"
    write_review(review, LINES)
    rows = filled(review, ["yes", "yes", "no"])
    rows[row][cell] = value
    save(review, rows, ";", "utf-8")
    with pytest.raises(DataError, match=re.escape(problem)):
        decided(review, tmp_path)
    assert not (tmp_path / PERSONAL).exists()


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"PK\x03\x04...", "workbook"),
        (b"", "lacks one of the columns key, decision"),
        (b'"decision,kind,text,context,why,where,id,key";;\r\n', "one cell"),
        (b'decision,key\r\nno,"' + b"x" * 200_000 + b'"', "is not CSV: field larger"),
    ],
)
def test_another_file_is_an_error_that_explains_how_to_save_one(
    tmp_path: Path, data: bytes, problem: str
) -> None:
    (tmp_path / "review.csv").write_bytes(data)
    with pytest.raises(DataError, match=problem):
        decided(tmp_path / "review.csv", tmp_path)


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+33 6 12 34 56 78", "-2", "@SUM(A1)", "\t=1", '"=1"', "12e4", "06"],
)
def test_no_cell_is_taken_for_a_formula_or_a_number(tmp_path: Path, text: str) -> None:
    review = tmp_path / "review.csv"
    write_review(review, [LINES[1] | {"text": text, "context": f"a ;{text}; b"}])
    _, row = filled(review, ["no"])
    assert (
        row[2].lstrip("\"' ") != row[2]
        and "'" in row[2]
        and text.strip()[-2:] in row[2]
    )
    assert not re.search(r"(^|;)[\s\"]*[=+@-]", row[3])
    assert re.fullmatch("#[0-9a-f]{16}", row[-1])


@given(st.lists(st.text(), min_size=6, max_size=6))
def test_a_cell_of_any_text_is_one_safe_line(texts: list[str]) -> None:
    from tempfile import TemporaryDirectory

    names = ["id", "kind", "text", "context", "why", "where"]
    with TemporaryDirectory() as folder:
        review = Path(folder) / "review.csv"
        write_review(review, [dict(zip(names, texts, strict=True)) | {"key": KEYS[0]}])
        _, row = filled(review, ["no"])
        assert decided(review, Path(folder)).open == 1
    for cell in row:
        assert len(cell) <= 1010 and len(cell.splitlines()) <= 1
        assert not cell.startswith(tuple("=+-@＝＋－＠"))


def test_what_is_readmitted_is_stored_once_and_can_be_taken_back(
    tmp_path: Path,
) -> None:
    rejects = [
        {"id": str(n), "reason": "too long", "where": f"f:{n}"} for n in range(3)
    ]
    assert add_readmitted(tmp_path, rejects[:2]) == 2
    assert add_readmitted(tmp_path, [*rejects, *rejects]) == 1
    remove_readmitted(tmp_path, {"1"})
    assert read_decisions(tmp_path).readmitted == {"0", "2"}


def test_a_line_separator_inside_a_text_ends_no_line(tmp_path: Path) -> None:
    add_readmitted(tmp_path, [{"id": "a", "reason": "r", "where": "odd\u2028name:1"}])
    assert read_decisions(tmp_path).readmitted == {"a"}


@pytest.mark.parametrize(
    ("name", "line", "problem"),
    [
        (READMITTED, "<<<<<<< HEAD", "not JSON: <<<<<<< HEAD"),
        (READMITTED, '{"key": "a"}', "has no id"),
        (READMITTED, '["id"]', "has no id"),
        (PERSONAL, '{"decision": "no"}', "has no key"),
        (PERSONAL, '{"key": "1", "decision": "no"}', "key is '1'"),
        (PERSONAL, f'{{"key": "{KEYS[2]}", "decision": "?"}}', "decision is '?'"),
        (PERSONAL, f'{{"key": "{KEYS[0]}", "decision": "no"}}', "different decision"),
    ],
)
def test_a_broken_decision_is_an_error_with_its_line(
    tmp_path: Path, name: str, line: str, problem: str
) -> None:
    good = json.dumps({"id": "a", "key": KEYS[0], "decision": "yes"})
    (tmp_path / name).write_text(f"{good}\n\n{line}\n", encoding="utf-8")
    with pytest.raises(DataError, match=rf"{name}:3: .*{re.escape(problem)}"):
        read_decisions(tmp_path)


def test_numbers_of_decisions_as_json(tmp_path: Path) -> None:
    review = tmp_path / "review.csv"
    write_review(review, LINES)
    save(review, filled(review, ["no", "y", ""]), ",", "utf-8")
    counts = {"yes": 1, "no": 1, "open": 1, "new": 2, "changed": 0}
    assert decide.run(review, decisions=tmp_path, json=True) == counts
    assert decide.run(review, decisions=tmp_path) is None


def test_decide_prints_the_numbers_of_decisions(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    review = tmp_path / "review.csv"
    write_review(review, LINES)
    decide.run(review, decisions=tmp_path)
    assert "0 yes, 0 no, 3 open\nnothing to store" in capsys.readouterr().out
    save(review, filled(review, ["no", "y", ""]), ";", "cp1252")
    decide.run(review, decisions=tmp_path)
    output = capsys.readouterr().out
    assert "1 yes, 1 no, 1 open" in output and "2 new, 0 changed" in output
    assert "dvc repro" in output
    decide.run(review, decisions=tmp_path)
    assert "already contains all these decisions" in capsys.readouterr().out
