"""JSON Lines: what ends a line, and what stops the reader."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graft.errors import DataError
from graft.io import read_json_lines, write_json_lines


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.dictionaries(st.text(max_size=5), st.text(max_size=20))))
def test_any_text_comes_back_as_it_was(
    tmp_path: Path, rows: list[dict[str, str]]
) -> None:
    path = tmp_path / "rows.jsonl"
    write_json_lines(path, rows)
    assert [value for _, value in read_json_lines(path)] == rows


def test_a_line_separator_inside_a_text_ends_no_line(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('\ufeff["a\u2028b\x85c"]\n\n[2]', encoding="utf-8")
    assert list(read_json_lines(path)) == [
        (f"{path}:1", ["a\u2028b\x85c"]),
        (f"{path}:3", [2]),
    ]


@pytest.mark.parametrize(
    ("line", "problem"),
    [(b"{", "not JSON: {"), (b'"\xff"', "not UTF-8"), (b"[" * 99_999, "not JSON")],
)
def test_a_broken_line_stops_the_reader_and_is_named(
    tmp_path: Path, line: bytes, problem: str
) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b"[1]\n" + line)
    with pytest.raises(DataError, match=f"^{path}:2: {problem}"):
        list(read_json_lines(path))
