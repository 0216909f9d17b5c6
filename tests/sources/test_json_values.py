"""JSON that is ambiguous, or that makes parsers fail."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from source_rows import read_rows

from graft.errors import DataError
from graft.records import Reject, Row
from graft.sources.json_values import InvalidJson, JsonReader

REPEATED = (
    '{"en": "a", "fr": "b", "en": "c"}',
    '{"en": "a", "more": [{"deep": {"x": 1, "x": 1}}]}',
    r'{"en": "a", "\u0065n": "b"}',
)
EXTREME = (
    '{"en": "a", "n": %s}' % ("9" * 5000),
    '{"en": "a", "n": [-%s]}' % ("9" * 5000),
    '{"en": "a", "n": %s}' % ("[" * 300 + "]" * 300),
    '{"en": "a", "n": %s}' % ('{"x":' * 300 + "1" + "}" * 300),
)
FINE = (
    '{"en": "a", "n": NaN, "m": [-Infinity, 1e9999, 1e-9999, -0.0]}',
    '{"en": "a", "n": %d}' % (1 << 70),
    r'{"en": "\ud800", "\udfff": 1}',
    '{"en": "a", "n": %s}' % json.dumps([{"x": []}] * 500),
)


def read(make_data, path: Path, text: str, data_format: str) -> list[Row | Reject]:
    path.write_text(text, encoding="utf-8")
    return list(read_rows(make_data(format=data_format, files={"all": path.name})))


@pytest.mark.parametrize("text", (*REPEATED, *EXTREME))
def test_an_ambiguous_or_extreme_row_is_a_reject_between_its_neighbours(
    tmp_path: Path, make_data, text: str
) -> None:
    reason = "repeated key" if text in REPEATED else "extreme JSON"
    rows = ['{"en": "x"}', text, '{"en": "y"}']
    for data_format, content in (
        ("jsonl", "\n".join(rows)),
        ("json", f"[{', '.join(rows)}]"),
    ):
        found = read(make_data, tmp_path / "a", content, data_format)
        assert [getattr(row, "reason", None) for row in found] == [None, reason, None]
        assert found[1].where == "a:2"


@pytest.mark.parametrize("text", FINE)
def test_unusual_values_of_valid_json_are_kept(
    tmp_path: Path, make_data, text: str
) -> None:
    for data_format in ("jsonl", "json"):
        content = text if data_format == "jsonl" else f"[{text}]"
        (row,) = read(make_data, tmp_path / "a", content, data_format)
        assert isinstance(row, Row)


@pytest.mark.parametrize("text", (*REPEATED, *EXTREME, "{", "[" * 100_000))
def test_an_ambiguous_document_is_refused(tmp_path: Path, make_data, text: str) -> None:
    with pytest.raises(DataError, match="not valid JSON"):
        read(make_data, tmp_path / "a.json", '{"data": [%s]}' % text, "squad")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(VALUES)
def test_any_value_is_read_as_it_was_written(value: object) -> None:
    assert JsonReader().read(json.dumps(value)) == value


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers()), max_size=4))
def test_a_repeated_key_is_always_found(pairs: list[tuple[str, int]]) -> None:
    text = ", ".join(f'"{key}": {value}' for key, value in pairs)
    found = JsonReader().read("[{" + text + "}]")
    keys = [key for key, _ in pairs]
    assert isinstance(found, InvalidJson) == (len(set(keys)) < len(keys))
