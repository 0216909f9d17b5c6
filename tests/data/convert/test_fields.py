"""Fields of a row: their types, and optional fields."""

from typing import Any

import pytest

from graft.data.convert.fields import Field, Unfit, read_fields
from graft.records import Row

FIELDS = {
    "ask": Field(),
    "more": Field(optional=True),
    "answers": Field("texts", optional=True),
    "chat": Field("turns", optional=True),
}
COLUMNS = {name: name for name in FIELDS}


def read(**values: Any) -> dict[str, Any]:
    return read_fields(Row(values, "f:1"), COLUMNS, FIELDS)


@pytest.mark.parametrize("nothing", [None, "", " ", []])
def test_an_optional_field_without_a_value_is_left_out(nothing: Any) -> None:
    assert read(ask="a", more=nothing, answers=nothing) == {"ask": "a"}


def test_one_text_or_a_list_of_them_is_texts() -> None:
    assert read(ask="a", answers="b")["answers"] == ["b"]
    assert read(ask="a", answers=["b", "c"])["answers"] == ["b", "c"]


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({}, "missing field ask"),
        ({"ask": "a", "answers": ["b", ""]}, "empty field answers"),
        ({"ask": "a", "answers": ["b", 3]}, "wrong type in answers"),
        ({"ask": "a", "chat": "hello"}, "wrong type in chat"),
        ({"ask": "a", "chat": ["hello"]}, "wrong type in chat"),
        ({"ask": "a", "more": "caf\udce9"}, "bad bytes"),
    ],
)
def test_a_value_of_another_type_makes_the_row_unfit(
    values: dict[str, Any], reason: str
) -> None:
    with pytest.raises(Unfit) as caught:
        read(**values)
    assert caught.value.reason == reason and caught.value.fix
