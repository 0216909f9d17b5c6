"""Tools and calls: unknown parts are refused by name, never dropped."""

import json
from typing import Any

import pytest

from graft.data.convert.fields import Unfit
from graft.tasks.reasoning import to_example
from graft.tasks.tools import to_calls, to_tools

QUESTION = {"role": "user", "content": "Rain?"}
CALLED = {"from": "function_call", "value": '{"name": "rain", "arguments": {}}'}
RESULT = {"role": "tool", "content": "dry"}
ANSWER = {"role": "assistant", "content": "No."}


def test_llamas_name_for_arguments_is_also_read() -> None:
    calls = json.loads(to_calls({"name": "rain", "parameters": {"city": "Lyon"}}))
    assert calls == [{"name": "rain", "arguments": {"city": "Lyon"}}]
    assert json.loads(to_calls({"name": "rain", "arguments": ""}))[0]["arguments"] == {}


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        ({"name": "rain", "input": {"city": "Lyon"}}, "unknown field input of a tool"),
        ({"function": {"name": "rain"}, "result": 1}, "unknown field result of a tool"),
        (
            {"name": "rain", "arguments": False},
            "arguments of a tool call are not an object",
        ),
        (
            {"name": "rain", "arguments": '{"x": NaN}'},
            "arguments of a tool is not JSON",
        ),
        (
            {"name": "rain", "arguments": {"a": 1}, "parameters": {"b": 1}},
            "arguments of a tool call twice",
        ),
    ],
)
def test_no_part_of_a_call_is_dropped_silently(
    call: dict[str, Any], reason: str
) -> None:
    with pytest.raises(Unfit) as caught:
        to_calls(call)
    assert caught.value.reason.startswith(reason)


@pytest.mark.parametrize(
    ("tool", "reason"),
    [
        ({"type": "web_search"}, "tool of another kind"),
        (
            {"type": "function", "function": {"name": "f"}, "strict": True},
            "unknown field strict of a tool",
        ),
    ],
)
def test_no_part_of_a_tool_is_dropped_silently(
    tool: dict[str, Any], reason: str
) -> None:
    with pytest.raises(Unfit) as caught:
        to_tools([tool])
    assert caught.value.reason == reason


def test_each_tool_may_be_json_text() -> None:
    assert to_tools(['{"name": "f"}']) == to_tools([{"name": "f"}])


def test_a_result_needs_a_call() -> None:
    chat = [QUESTION, CALLED, RESULT, RESULT, ANSWER]
    assert len(to_example({"turns": [*chat[:3], ANSWER]})[0]) == 4
    with pytest.raises(Unfit, match="tool result without a call"):
        to_example({"turns": chat})


@pytest.mark.parametrize("weights", [(0, 1), (1, 0)])
def test_a_text_and_its_calls_carry_loss_together(weights: tuple[int, int]) -> None:
    text = {"role": "assistant", "content": "I look.", "weight": weights[0]}
    chat = [QUESTION, text, CALLED | {"weight": weights[1]}, RESULT, ANSWER]
    with pytest.raises(Unfit, match="loss weights disagree"):
        to_example({"turns": chat})


def test_a_part_of_a_turn_has_no_weight_of_its_own() -> None:
    parts = [{"type": "text", "text": "4", "weight": 0}]
    with pytest.raises(Unfit, match="unknown field weight of a part"):
        to_example({"turns": [QUESTION, ANSWER | {"content": parts}]})
