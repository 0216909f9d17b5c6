"""CSV and TSV."""

from pathlib import Path

import pytest

from graft.errors import DataError
from graft.records import Reject, Row
from graft.sources import read_rows


def read(make_data, path: Path, text: str, **changes) -> list[Row | Reject]:
    path.write_text(text, encoding="utf-8", newline="")
    return list(read_rows(make_data(format="csv", files={"all": path.name}, **changes)))


def test_shifted_columns_are_rejects_with_their_line(tmp_path: Path, make_data) -> None:
    text = 'en,fr\na,b\na,b,c\nonly\n"x,y",z\n'
    found = read(make_data, tmp_path / "a.csv", text)
    assert [(type(row), row.where) for row in found] == [
        (Row, "a.csv:2"),
        (Reject, "a.csv:3"),
        (Reject, "a.csv:4"),
        (Row, "a.csv:5"),
    ]
    assert found[3].values == {"en": "x,y", "fr": "z"}


def test_a_stray_quote_costs_its_own_row_only(tmp_path: Path, make_data) -> None:
    rows = ["en,fr", '"stray,b', *(f"a{i},b{i}" for i in range(50)), '5" tall,grand']
    found = read(make_data, tmp_path / "a.csv", "\n".join(rows))
    assert [row.where for row in found if isinstance(row, Reject)] == ["a.csv:2"]
    assert len(found) == 52


def test_a_value_over_several_lines_keeps_the_line_it_began_on(
    tmp_path: Path, make_data
) -> None:
    found = read(make_data, tmp_path / "a.csv", 'en,fr\r\n"a\nb",c\r\nd,e\r\n')
    assert [(row.where, row.values["en"]) for row in found] == [
        ("a.csv:2", "a\nb"),
        ("a.csv:4", "d"),
    ]


def test_tab_separated_text_without_header_or_quotes_is_read_as_it_stands(
    tmp_path: Path, make_data
) -> None:
    found = read(
        make_data,
        tmp_path / "a.tsv",
        '"Hello," he said\t« Bonjour »\n',
        columns=["en", "fr"],
        delimiter="\t",
        quote=None,
    )
    assert found[0].values == {"en": '"Hello," he said', "fr": "« Bonjour »"}


def test_two_columns_of_one_name_are_refused(tmp_path: Path, make_data) -> None:
    with pytest.raises(DataError, match="same name"):
        read(make_data, tmp_path / "a.csv", "en,en\na,b\n")


def test_every_line_of_a_file_of_stray_quotes_is_counted(
    tmp_path: Path, make_data
) -> None:
    text = "en,fr\n" + '"open,b\n' * 101
    assert len(read(make_data, tmp_path / "a.csv", text)) == 101
