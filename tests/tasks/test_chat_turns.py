"""Other keys of a turn than its text are read, or refused by name."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graft.data.convert.fields import Unfit
from graft.tasks.reasoning import to_example
from graft.tasks.turns import to_messages

CALL = {"id": "a1", "type": "function", "function": {"name": "weather"}}
CALL["function"] |= {"arguments": '{"city": "Lyon"}'}  # type: ignore[operator]
CALLED = '[{"id": "a1", "name": "weather", "arguments": {"city": "Lyon"}}]'


def contents(turns: list[dict[str, Any]], **fields: Any) -> list[tuple[str, str]]:
    messages, _ = to_example({"turns": turns} | fields)
    return [(message["role"], message["content"]) for message in messages]


def reason(turns: list[dict[str, Any]], **fields: Any) -> str:
    with pytest.raises(Unfit) as caught:
        to_example({"turns": turns} | fields)
    return caught.value.reason


def user(text: str = "Rain?", **more: Any) -> dict[str, Any]:
    return {"role": "user", "content": text} | more


def answer(text: Any = "No.", **more: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": text} | more


@pytest.mark.parametrize("key", ["reasoning_content", "reasoning", "thinking"])
def test_reasoning_in_a_separate_key_opens_the_answer(key: str) -> None:
    assert contents([user(), answer(**{key: "Sky is blue."})])[-1] == (
        "assistant",
        "<think>\nSky is blue.\n</think>\n\nNo.",
    )
    assert contents([user(), answer(**{key: None})])[-1] == ("assistant", "No.")


@pytest.mark.parametrize("text", [None, "", "I will look."])
def test_calls_follow_the_text_of_their_turn(text: str | None) -> None:
    chat = [user(), answer(text, tool_calls=[CALL])]
    chat += [{"role": "tool", "tool_call_id": "a1", "content": "dry"}, answer()]
    spoken = [("assistant", text)] if text else []
    assert contents(chat)[1:] == [
        *spoken,
        ("tool_calls", CALLED),
        ("tool", "dry"),
        ("assistant", "No."),
    ]


@pytest.mark.parametrize(
    "turn",
    [
        answer(None, tool_calls=json.dumps([CALL])),
        answer(None, tool_calls=CALL),
        answer([{"type": "tool_call", "value": json.dumps(CALL)}]),
        {"from": "function_call", "value": json.dumps(CALL)},
        {"from": "tool_call", "value": json.dumps([CALL])},
    ],
)
def test_calls_of_every_schema_become_the_same(turn: dict[str, Any]) -> None:
    (message,) = to_messages(turn)
    assert (message["role"], message["content"]) == ("tool_calls", CALLED)


def test_the_older_schema_of_calls_is_read_too() -> None:
    old = {"name": "clock", "arguments": "{}"}
    chat = [user(), answer("Let me see.", function_call=old)]
    assert contents(chat)[1:] == [
        ("assistant", "Let me see."),
        ("tool_calls", '[{"name": "clock", "arguments": {}}]'),
    ]


@pytest.mark.parametrize("tools", [[{"name": "clock"}], '[{"name": "clock"}]'])
def test_tools_open_the_chat(tools: Any) -> None:
    first, *rest = contents([user(), answer()], tools=tools, system="Be brief.")
    kind = {"type": "function", "function": {"name": "clock"}}
    assert (first[0], json.loads(first[1])) == ("tools", [kind])
    assert rest[0] == ("system", "Be brief.")


@pytest.mark.parametrize("tools", [None, "", "[]", []])
def test_without_tools_there_is_no_tools_turn(tools: Any) -> None:
    assert contents([user(), answer()], tools=tools) == contents([user(), answer()])


@pytest.mark.parametrize("key", ["weight", "loss_weight", "train"])
@pytest.mark.parametrize("zero", [0, False, 0.0])
def test_an_answer_of_weight_0_carries_no_loss(key: str, zero: Any) -> None:
    chat = [user(), answer("Yes.", **{key: zero}), user(), answer(**{key: 1})]
    messages, _ = to_example({"turns": chat})
    assert [m.get("learn") for m in messages] == [None, False, None, None]
    assert reason(chat[:2]) == "no answer carries loss"


@pytest.mark.parametrize(
    ("turn", "expected"),
    [
        (answer(weight=0.5), "fractional loss weight"),
        (answer(loss_weight=2), "fractional loss weight"),
        (answer(weight="1"), "wrong type in weight"),
        (answer(weight=0, train=True), "loss weights disagree"),
        (user(weight=1), "loss on a user turn"),
        (answer(audio={"id": "x"}), "unknown field audio of a turn"),
        (user(name="Ann"), "unknown field name of a turn"),
        (user(images=["x"]), "unknown field images of a turn"),
        (answer(value="other"), "unknown field value of a turn"),
        (user(reasoning="x"), "reasoning out of place"),
        (answer(reasoning="x", thinking="y"), "reasoning twice"),
        (answer("<think>x</think>y", reasoning="x"), "reasoning twice"),
        (user([{"type": "image_url", "image_url": "x"}]), "a part of a turn is image"),
        (user(tool_calls=[CALL]), "tool calls out of place"),
        (answer(tool_calls=[CALL], function_call={"name": "f"}), "tool calls twice"),
        (answer(tool_calls=[{"type": "mcp"}]), "tool call of another kind"),
        (answer(tool_calls=[{"function": {}}]), "tool call without a name"),
        (
            answer(tool_calls=[{"name": "f", "arguments": "x"}]),
            "arguments of a tool is not JSON",
        ),
        (
            answer(tool_calls=[{"name": "f", "arguments": [1]}]),
            "arguments of a tool call are not an object",
        ),
        ({"role": "narrator", "content": "x"}, "unknown role"),
        ({"role": "system", "content": ""}, "empty turn"),
    ],
)
def test_an_unsupported_part_is_named(turn: dict[str, Any], expected: str) -> None:
    assert reason([user(), turn]).startswith(expected)


def test_results_answer_their_calls_in_order() -> None:
    other = CALL | {"id": "b2"}
    chat = [user(), answer(None, tool_calls=[CALL, other])]
    results = [{"role": "tool", "tool_call_id": i, "content": i} for i in ("a1", "b2")]
    assert len(contents([*chat, *results, answer()])) == 5
    expected = "tool result of another call"
    assert reason([*chat, *reversed(results), answer()]) == expected


ROLES = ["system", "developer", "user", "human", "assistant", "gpt", "tool", "x"]
VALUE = st.none() | st.booleans() | st.integers(0, 1) | st.sampled_from(["", "word"])


@given(
    st.sampled_from(ROLES),
    st.dictionaries(st.sampled_from(["weight", "name", "image", "thought"]), VALUE),
)
def test_no_part_of_a_turn_is_dropped_silently(role: str, more: dict[str, Any]) -> None:
    try:
        messages = to_messages({"role": role, "content": "said", **more})
    except Unfit:
        return
    shown = " ".join(message["content"] for message in messages)
    for key, value in more.items():
        if key in ("weight", "name") and role == "tool":
            continue
        is_read = value in (None, "") or str(value) in shown
        has_loss = messages[0].get("learn") is not False
        answers = messages[0]["role"] == "assistant"
        assert is_read or key == "weight" and (not answers or has_loss == bool(value))
