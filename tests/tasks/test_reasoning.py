"""Chats in the schemas of public data sets."""

from typing import Any

import pytest

from graft.data.convert.fields import Unfit
from graft.tasks.reasoning import to_example

TURNS = [("system", "Be brief."), ("user", "2+2?"), ("assistant", "4")]


def turns(*pairs: tuple[str, Any], keys: tuple[str, str]) -> list[dict[str, Any]]:
    return [dict(zip(keys, pair, strict=True)) for pair in pairs]


def test_openai_and_sharegpt_chats_become_the_same() -> None:
    names = {"system": "system", "user": "human", "assistant": "gpt"}
    openai = turns(*TURNS, keys=("role", "content"))
    shared = turns(*[(names[r], t) for r, t in TURNS], keys=("from", "value"))
    found = [to_example({"turns": chat})[0] for chat in (openai, shared)]
    assert found[0] == found[1]
    assert [(m["role"], m["content"]) for m in found[0]] == TURNS


def test_alpaca_rows_are_chats_of_one_question() -> None:
    messages, _ = to_example({"instruction": "Add.", "input": "2, 2", "output": "4"})
    assert [m["content"] for m in messages] == ["Add.\n\n2, 2", "4"]


def test_parts_of_a_turn_are_joined_and_reasoning_is_marked() -> None:
    parts = [{"type": "reasoning", "value": "hm"}, {"type": "text", "text": "4"}]
    chat = turns(("user", "2+2?"), ("assistant", parts), keys=("role", "content"))
    assert to_example({"turns": chat})[0][-1]["content"] == (
        "<think>\nhm\n</think>\n\n4"
    )


def test_a_system_turn_of_its_own_column_opens_the_chat_unless_it_has_one() -> None:
    chat = turns(*TURNS[1:], keys=("role", "content"))
    assert to_example({"turns": chat, "system": "S"})[0][0]["content"] == "S"
    chat = turns(*TURNS, keys=("role", "content"))
    assert to_example({"turns": chat, "system": "S"})[0][0]["content"] == "Be brief."


@pytest.mark.parametrize(
    ("turn", "reason"),
    [
        ({"role": "narrator", "content": "x"}, "unknown role"),
        ({"speaker": "user", "text": "x"}, "unknown role"),
        ({"role": "user", "content": " "}, "empty turn"),
        ({"role": "user", "content": [{"type": "image"}]}, "a part of a turn is image"),
        ({"role": "user", "content": None}, "a turn is not text"),
    ],
)
def test_a_chat_that_is_not_text_is_rejected(turn: dict[str, Any], reason: str) -> None:
    with pytest.raises(Unfit) as caught:
        to_example({"turns": [turn]})
    assert caught.value.reason == reason
