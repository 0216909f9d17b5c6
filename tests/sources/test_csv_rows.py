"""CSV and TSV."""

import csv
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from source_rows import read_rows

from graft.errors import DataError
from graft.records import Reject, Row
from graft.sources.csv_rows import read_csv
from graft.sources.files import SourcePart

ANY_DATA = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


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


def test_a_quote_within_an_unquoted_value_is_a_letter(
    tmp_path: Path, make_data
) -> None:
    found = read(make_data, tmp_path / "a.csv", 'en,fr\n5" tall,"grand"\n')
    assert found[0].values == {"en": '5" tall', "fr": "grand"}


BROKEN = {
    "a value too many": '"One\nTwo, three\nFour","Un\nDeux",news',
    "a value too few": '"One\nTwo, three\nFour"',
    "a quote within quotes": '"A "quoted" word\nme, today\nbye",fr',
    "text after a quote": '"One\nTwo, three" and\nfour, more\n","fr"',
    "a return between": "One\rTwo,three",
}


@pytest.mark.parametrize("record", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_record_that_cannot_be_read_is_one_reject(
    tmp_path: Path, make_data, record: str, end: str
) -> None:
    text = end.join(["en,fr", "a,b", record, "c,d", ""])
    found = read(make_data, tmp_path / "a.csv", text)
    assert [isinstance(row, Reject) for row in found] == [False, True, False]
    assert found[1].where == "a.csv:3"
    assert found[2].values == {"en": "c", "fr": "d"}
    num_lines = record.count("\n") + 1
    assert found[2].where == f"a.csv:{3 + num_lines}"


@pytest.mark.parametrize("num_lines", [1, 500])
def test_a_quote_that_is_never_closed_is_one_reject_with_its_lines(
    tmp_path: Path, make_data, num_lines: int
) -> None:
    text = 'en,fr\na,b\n"open,b\n' + "x,y\n" * num_lines
    found = read(make_data, tmp_path / "a.csv", text)
    assert [row.where for row in found] == ["a.csv:2", "a.csv:3"]
    assert isinstance(found[1], Reject) and f"{num_lines + 1} lines" in found[1].value


def test_a_quote_that_swallows_most_of_a_file_stops_the_stage(
    tmp_path: Path, make_data
) -> None:
    text = 'en,fr\na,b\n"open,b\n' + "x,y\n" * 5000
    with pytest.raises(DataError, match="not closed") as caught:
        read(make_data, tmp_path / "a.csv", text)
    assert caught.value.where == "a.csv:3" and "5001 lines" in str(caught.value)


def test_a_long_record_is_one_row(tmp_path: Path, make_data) -> None:
    long = "\n".join(f"Line {i}, with words." for i in range(20_000))
    found = read(make_data, tmp_path / "a.csv", f'en,fr\n"{long}","{long}"\nc,d\n')
    assert [row.values["en"] for row in found] == [long, "c"]
    assert found[1].where == "a.csv:40001"


def test_reading_leaves_the_limit_of_other_csv_readers(
    tmp_path: Path, make_data
) -> None:
    csv.field_size_limit(131_072)
    read(make_data, tmp_path / "a.csv", "en,fr\na,b\n")
    assert csv.field_size_limit() == 131_072


def test_a_record_past_the_limit_is_one_reject(tmp_path: Path, make_data) -> None:
    path = tmp_path / "a.csv"
    path.write_text('en,fr\n"' + "a, b\n" * 100 + '",x\nc,d\n')
    data = make_data(format="csv", files={"all": "a.csv"})
    found = list(read_csv(SourcePart({"": path}, tmp_path, None), data, limit=200))
    assert [row.where for row in found] == ["a.csv:2", "a.csv:103"]
    assert isinstance(found[0], Reject) and "200 characters" in found[0].value


def test_a_header_that_cannot_be_read_stops_the_stage(
    tmp_path: Path, make_data
) -> None:
    with pytest.raises(DataError, match="header"):
        read(make_data, tmp_path / "a.csv", 'en,"fr" x\na,b\n')


RECORDS = st.lists(
    st.lists(st.text("ab \"';,|\t\n\ré", max_size=8), min_size=2, max_size=2),
    max_size=6,
)


@ANY_DATA
@given(
    RECORDS,
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(['"', "'"]),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_what_the_csv_module_writes_is_read_back(
    tmp_path_factory: pytest.TempPathFactory,
    make_data,
    records: list[list[str]],
    delimiter: str,
    quote: str,
    end: str,
    quoting: int,
    encoding: str,
) -> None:
    has_return = any("\r" in value for record in records for value in record)
    assume(quoting == csv.QUOTE_ALL or not has_return)  # it does not quote those
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    with path.open("w", encoding=encoding, newline="") as stream:
        writer = csv.writer(
            stream,
            delimiter=delimiter,
            quotechar=quote,
            lineterminator=end,
            quoting=quoting,
        )
        writer.writerows([["en", "fr"], *records])
    part = SourcePart({"": path}, path.parent, None)
    data = make_data(format="csv", delimiter=delimiter, quote=quote)
    found = [list(row.values.values()) for row in read_csv(part, data)]
    assert found == records


@ANY_DATA
@given(st.lists(st.text('ab",\n', max_size=12), max_size=8))
def test_no_line_is_read_twice_or_lost(
    tmp_path_factory: pytest.TempPathFactory, make_data, lines: list[str]
) -> None:
    text = "en,fr\n" + "\n".join(lines)
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    path.write_text(text, newline="")
    part = SourcePart({"": path}, path.parent, None)
    starts = [int(row.where.split(":")[1]) for row in read_csv(part, make_data())]
    assert starts == sorted(set(starts))
    assert not starts or starts[-1] <= text.count("\n") + 1


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
