"""Paths into a row, also into a cell whose text is JSON."""

import json

import pytest

from graft.field_paths import ABSENT
from graft.records import Row

CELL = {"en": "x", "list": [{"o": "a"}, {"o": "b"}], "inner": json.dumps({"k": "y"})}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("cell.en", "x"),
        ("cell.list[1].o", "b"),
        ("cell.list[*].o", ["a", "b"]),
        ("cell.inner.k", "y"),
        ("cell", json.dumps(CELL)),
        ("cell.other", ABSENT),
        ("text.en", ABSENT),
        ("text[0]", ABSENT),
        ("number.en", ABSENT),
        ("cut.en", ABSENT),
        ("twice.en", ABSENT),
        ("deep.en", ABSENT),
    ],
)
def test_a_path_goes_into_the_json_of_a_cell(path: str, value: object) -> None:
    row = Row(
        {
            "cell": json.dumps(CELL),
            "text": "en",
            "number": "3",
            "cut": '{"en": "x"',
            "twice": '{"en": "x", "en": "y"}',
            "deep": "[" * 100_000,
        },
        "a.csv:2",
    )
    assert row.get(path) == value
