"""Paths into a row, also into a cell whose text is JSON."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from graft.errors import ConfigError
from graft.field_paths import ABSENT
from graft.records import Row
from graft.tasks import get_task

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


ROW = {
    "instances": [
        {"input": "a", "output": ["b", "c"]},
        {"input": "d", "output": ["e"]},
    ],
    "price [EUR]": "7",
    "odd[0]": "literal",
    "deep": {"list": [[1, 2], [3]]},
}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("instances[0].input", "a"),
        ("instances[1].output[0]", "e"),
        ("instances[*].input", ["a", "d"]),
        ("instances[*].output[*]", ["b", "c", "e"]),
        ("instances[*].output[1]", ["c", ABSENT]),
        ("deep.list[0][1]", 2),
        ("price [EUR]", "7"),
        ("odd[0]", "literal"),
        ("instances[2].input", ABSENT),
        ("instances.input", ABSENT),
        ("deep[0]", ABSENT),
    ],
)
def test_a_path_goes_into_lists(path: str, value: Any) -> None:
    assert Row(ROW, "f:1").get(path) == value


@pytest.mark.parametrize(
    "path", ["a[", "a]", "a[]", "a[-1]", "a[1:2]", "a[ 0 ]", "a[**]", "[0]", "a[0]b"]
)
def test_an_invalid_path_is_a_configuration_error(path: str, make_data) -> None:
    with pytest.raises(ValidationError, match="fields.source"):
        make_data(fields={"source": path, "target": "fr"})


def test_a_field_with_one_value_refuses_a_path_to_a_list(make_data) -> None:
    with pytest.raises(ValidationError, match="group"):
        make_data(group="a[*].b")
    with pytest.raises(ConfigError, match="data.fields.target"):
        get_task("translation").check_fields({"source": "a", "target": "b[*]"})
