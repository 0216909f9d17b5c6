"""JSON Lines, plain text and parallel text."""

import bz2
import gzip
import lzma
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from source_rows import read_rows

from graft.config import DataConfig
from graft.errors import ConfigError, DataError
from graft.records import Reject, Row
from graft.sources.opening import read_lines


def zstd(content: bytes) -> bytes:
    packed: bytes = pa.compress(content, codec="zstd", asbytes=True)
    return packed


def split_rows(data: DataConfig) -> tuple[list[Row], list[Reject]]:
    found = list(read_rows(data))
    rows = [row for row in found if isinstance(row, Row)]
    return rows, [row for row in found if isinstance(row, Reject)]


def test_a_broken_line_is_a_reject_in_its_place_and_the_others_are_rows(
    tmp_path: Path, make_data
) -> None:
    lines = ['{"en": "a"}', "", '{"en": "b', "[1]", '{"en": "c"}']
    (tmp_path / "pairs.jsonl").write_text("\n".join(lines))
    rows, rejects = split_rows(make_data())
    assert [row.where for row in rows] == ["pairs.jsonl:1", "pairs.jsonl:5"]
    assert [(r.where, r.reason) for r in rejects] == [
        ("pairs.jsonl:3", "broken JSON"),
        ("pairs.jsonl:4", "not an object"),
    ]
    assert all(reject.expected and reject.fix for reject in rejects)


def test_a_json_array_given_as_json_lines_is_one_clear_error(
    tmp_path: Path, make_data
) -> None:
    for text in ('[{"en": "a"}]', '[\n{"en": "a"}\n]'):
        (tmp_path / "pairs.jsonl").write_text(text)
        with pytest.raises(DataError, match="JSON array") as caught:
            list(read_rows(make_data()))
        assert "data.format to json" in caught.value.fix


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_only_line_feeds_end_a_line(tmp_path: Path, make_data, end: str) -> None:
    text = end.join(["one\u2028still one\x85\x0b", "", "two"])
    (tmp_path / "a.txt").write_text(text, encoding="utf-8", newline="")
    data = make_data(format="text", files={"all": "a.txt"}, fields={"text": "text"})
    rows, rejects = split_rows(data)
    assert [row.values["text"] for row in rows] == ["one\u2028still one\x85\x0b", "two"]
    assert [row.where for row in rows] == ["a.txt:1", "a.txt:3"] and not rejects


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path, make_data) -> None:
    (tmp_path / "a.txt").write_text("one\n", encoding="utf-8-sig")
    data = make_data(format="text", files={"all": "a.txt"})
    assert split_rows(data)[0][0].values == {"text": "one"}


def parallel(make_data) -> DataConfig:
    files = {"test": {"en": "a.en", "fr": "a.fr"}}
    return make_data(format="parallel", files=files)


def test_parallel_files_are_read_side_by_side_and_blank_lines_keep_them_aligned(
    tmp_path: Path, make_data
) -> None:
    (tmp_path / "a.en").write_text("one\n\nthree\n")
    (tmp_path / "a.fr").write_text("un\ndeux\ntrois\n")
    rows, rejects = split_rows(parallel(make_data))
    assert [row.values for row in rows][1:] == [
        {"en": "", "fr": "deux"},
        {"en": "three", "fr": "trois"},
    ]
    assert {row.split for row in rows} == {"test"} and not rejects


def test_each_line_past_the_end_of_the_other_file_is_a_reject(
    tmp_path: Path, make_data
) -> None:
    (tmp_path / "a.en").write_text("one\n")
    (tmp_path / "a.fr").write_text("un\ndeux\ntrois\n")
    rows, rejects = split_rows(parallel(make_data))
    assert len(rows) == 1
    assert [reject.where for reject in rejects] == ["a.fr:2", "a.fr:3"]
    assert {reject.reason for reject in rejects} == {"no partner"}


def test_columns_with_unequal_numbers_of_files_are_refused(
    tmp_path: Path, make_data
) -> None:
    for name in ("1.en", "2.en", "1.fr"):
        (tmp_path / name).write_text("x\n")
    files = {"all": {"en": "*.en", "fr": "*.fr"}}
    with pytest.raises(DataError, match="unequal numbers"):
        list(read_rows(make_data(format="parallel", files=files)))


def test_globs_splits_and_packed_files_are_read_in_order(
    tmp_path: Path, make_data
) -> None:
    (tmp_path / "t-2.txt").write_text("c\n")
    with gzip.open(tmp_path / "t-1.txt.gz", "wt") as stream:
        stream.write("a\nb\n")
    (tmp_path / "test.txt").write_text("d\n")
    data = make_data(format="text", files={"train": "t-*", "test": "test.txt"})
    found = [(row.values["text"], row.split) for row in split_rows(data)[0]]
    assert found == [("a", "train"), ("b", "train"), ("c", "train"), ("d", "test")]


def test_max_rows_counts_for_each_split(tmp_path: Path, make_data) -> None:
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text("1\n2\n3\n")
    files = {"train": "a.txt", "test": "b.txt"}
    data = make_data(format="text", files=files, max_rows=2)
    assert [row.split for row in split_rows(data)[0]] == ["train"] * 2 + ["test"] * 2


def test_a_missing_file_is_an_error_before_any_row_is_read(
    tmp_path: Path, make_data
) -> None:
    (tmp_path / "pairs.jsonl").write_text('{"en": "a"}')
    data = make_data(files={"train": "pairs.jsonl", "test": "nope.jsonl"})
    with pytest.raises(DataError, match="no such file") as caught:
        next(read_rows(data))
    assert "pairs.jsonl" in caught.value.expected


def test_a_source_without_rows_is_refused(tmp_path: Path, make_data) -> None:
    (tmp_path / "pairs.jsonl").write_text("\n\n")
    with pytest.raises(DataError, match="no rows"):
        list(read_rows(make_data()))


def test_an_unknown_encoding_is_a_config_error(tmp_path: Path, make_data) -> None:
    (tmp_path / "pairs.jsonl").write_text("{}")
    for name in ("utf-9", "base64"):
        with pytest.raises(ConfigError, match=name):
            list(read_rows(make_data(encoding=name)))


def test_a_file_that_is_not_of_the_encoding_at_all_is_refused(
    tmp_path: Path, make_data
) -> None:
    (tmp_path / "pairs.jsonl").write_text('{"en": "abc"}')
    with pytest.raises(DataError, match="is not utf-16"):
        list(read_rows(make_data(encoding="utf-16")))


def test_a_cut_packed_file_is_refused(tmp_path: Path, make_data) -> None:
    rows = "".join(f'{{"en": "{i * 7919}"}}\n' for i in range(5000)).encode()
    for pack in (gzip.compress, bz2.compress, lzma.compress, zstd):
        (tmp_path / "a.jsonl").write_bytes(pack(rows)[:-20])
        with pytest.raises(DataError, match="cannot be unpacked"):
            list(read_rows(make_data(files={"all": "a.jsonl"})))


@given(st.binary(max_size=200))
def test_any_bytes_give_as_many_lines_as_they_have(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.mktemp("bytes") / "a.txt"
    text = b"text" + content.replace(b"\0", b"")
    path.write_bytes(text)
    end = b"\n" if b"\n" in text or b"\r" not in text[:-1] else b"\r"
    expected = text.count(end) + (not text.endswith(end))
    assert len(list(read_lines(path, "utf-8"))) == expected
