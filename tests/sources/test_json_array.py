"""JSON arrays, streamed."""

import json
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from source_rows import read_rows

from graft.errors import DataError
from graft.records import Reject
from graft.sources import json_array
from graft.sources.files import SourcePart
from graft.sources.json_array import Elements

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
PART = SourcePart({"": Path("a.json")}, Path("."), None)


@given(st.lists(VALUES), st.integers(1, 40), st.sampled_from([None, 2]))
def test_elements_are_the_same_whatever_the_chunks(
    values: list[object], chunk: int, indent: int | None
) -> None:
    text = json.dumps(values, indent=indent, ensure_ascii=False)
    assert list(Elements(StringIO(text), PART, chunk)) == values


def write(path: Path, text: str, make_data):
    path.write_text(text, encoding="utf-8")
    return read_rows(make_data(format="json", files={"all": path.name}))


def test_an_element_that_is_not_an_object_is_a_reject(
    tmp_path: Path, make_data
) -> None:
    found = list(write(tmp_path / "a.json", '[{"en": "a"}, 3, {"en": "b"}]', make_data))
    assert [row.where for row in found] == ["a.json:1", "a.json:2", "a.json:3"]
    assert isinstance(found[1], Reject)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('[{"en": "a"},\n{"en": "b', "truncated"),
        ('[{"en": "a"},\n{"en": "b"}', "truncated"),
        ('[{"en": "a"},\n', "truncated"),
        ('[{"en": "a"},\n{en: "b"}]', "line 2"),
        ('[{"en": "a"}\n{"en": "b"}]', "expected , or ]"),
        ('[{"en": "a"}]\n]', "closed"),
        ('{"en": "a"}\n{"en": "b"}', "not with"),
    ],
)
def test_a_broken_array_stops_with_its_line(
    tmp_path: Path, make_data, text: str, problem: str
) -> None:
    with pytest.raises(DataError, match=problem) as caught:
        list(write(tmp_path / "a.json", text, make_data))
    assert "line" in caught.value.where and "jsonl" in caught.value.fix


def test_deep_nesting_is_a_graft_error(tmp_path: Path, make_data) -> None:
    with pytest.raises(DataError, match="deep"):
        list(write(tmp_path / "a.json", "[" + "[" * 200_000, make_data))


def test_at_most_a_chunk_and_an_element_are_in_memory() -> None:
    stream = StringIO("[" + ",".join(['{"en": "a"}'] * 100_000) + "]")
    elements = iter(Elements(stream, PART, chunk=1000))
    for _ in range(10):
        next(elements)
    assert stream.tell() <= 2000 < json_array.CHUNK
