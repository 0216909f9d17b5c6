"""Columns beside a chat are read or refused by name, even without a mapping."""

from typing import Any

import pytest

from graft.data.convert.examples import to_example
from graft.records import Reject, Row
from graft.tasks import get_task

CHAT = [{"role": "user", "content": "2+2?"}, {"role": "assistant", "content": "4"}]
ALPACA = {"instruction": "prompt", "output": "completion"}


def outcome(data: Any, values: dict[str, Any]) -> list[tuple[str, str]] | str:
    """The messages of a row's example, or the reason for its rejection."""
    found = to_example(Row(values, "f:1"), data, get_task("reasoning"))
    if isinstance(found, Reject):
        return found.reason
    return [(message["role"], message["content"]) for message in found["messages"]]


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("label", False, "an undesirable answer"),
        ("kto_tag", False, "an undesirable answer"),
        ("images", ["cat.png"], "a column images"),
        ("image", {"bytes": "x"}, "a column image"),
        ("history", [["1+1?", "2"]], "a column history"),
        ("functions", [{"name": "clock"}], "a column functions"),
    ],
)
def test_a_column_that_changes_the_example_is_refused_by_name(
    make_data, column, value, reason
) -> None:
    chat = make_data(fields={"turns": "messages"})
    found = outcome(chat, {"messages": CHAT, column: value})
    assert isinstance(found, str) and found.startswith(reason)
    alpaca = make_data(fields=ALPACA)
    row = {"prompt": "2+2?", "completion": "4", column: value}
    assert str(outcome(alpaca, row)).startswith(reason)


@pytest.mark.parametrize(
    ("column", "value"),
    [("label", True), ("label", "math"), ("label", 0), ("images", []), ("image", None)],
)
def test_a_column_without_meaning_is_ignored(make_data, column, value) -> None:
    data = make_data(fields={"turns": "messages"})
    plain = outcome(data, {"messages": CHAT})
    assert outcome(data, {"messages": CHAT, column: value}) == plain


def test_a_column_system_opens_the_chat_without_being_mapped(make_data) -> None:
    data = make_data(fields={"turns": "messages"})
    found = outcome(data, {"messages": CHAT, "system": "Be brief."})
    assert found[0] == ("system", "Be brief.")
    assert len(outcome(data, {"messages": CHAT, "system": ""})) == 2


def test_a_refused_column_is_read_if_it_is_mapped(make_data) -> None:
    data = make_data(fields={"turns": "messages", "tools": "functions"})
    found = outcome(data, {"messages": CHAT, "functions": [{"name": "clock"}]})
    assert found[0][0] == "tools" and "clock" in found[0][1]
