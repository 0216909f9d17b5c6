"""Definitions and calls of tools, in the schemas that people write → one JSON form."""

import json
from collections.abc import Mapping
from typing import Any

from graft.data.fields import Unfit

FIX = "correct the chat, or leave it out"
CALLS = "calls with a name and arguments, {name, arguments} or OpenAI's tool_calls"
TOOLS = "a list of tools, {name, description, parameters} or OpenAI's {type, function}"


def to_calls(value: Any) -> str:
    """Tool calls as JSON: a list of {name, arguments}, with the id of each if it has
    one. Raises: Unfit."""
    calls = []
    for item in _to_list(value, "tool call", CALLS):
        calls += [_to_call(call) for call in _to_list(item, "tool call", CALLS)]
    if not calls:
        raise Unfit("no tool call", value, CALLS, FIX)
    return json.dumps(calls, ensure_ascii=False)


def _to_call(value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping) or value.get("type") not in (None, "function"):
        raise Unfit("tool call of another kind", value, CALLS, FIX)
    function = value.get("function", value)
    name = function.get("name") if isinstance(function, Mapping) else None
    if not isinstance(name, str) or not name.strip():
        raise Unfit("tool call without a name", value, CALLS, FIX)
    arguments = _loaded(function.get("arguments") or {}, "arguments of a tool", CALLS)
    if not isinstance(arguments, Mapping):
        raise Unfit("arguments of a tool call are no object", value, CALLS, FIX)
    own = {"id": value["id"]} if value.get("id") else {}
    return own | {"name": name, "arguments": dict(arguments)}


def to_tools(value: Any) -> str:
    """Definitions of tools as JSON, in OpenAI's form; empty if there is none.

    Raises: Unfit.
    """
    if value in (None, "", [], {}):
        return ""
    tools = []
    for item in _to_list(value, "tools", TOOLS):
        function = item.get("function", item) if isinstance(item, Mapping) else None
        name = function.get("name") if isinstance(function, Mapping) else None
        if not isinstance(name, str) or not name.strip():
            raise Unfit("tool without a name", item, TOOLS, FIX)
        tools.append({"type": "function", "function": function})
    return json.dumps(tools, ensure_ascii=False) if tools else ""


def check_result(turn: Mapping[str, Any], call: Mapping[str, Any]) -> None:
    """Hold a tool's result against the call that it follows, in order.

    Raises: Unfit if it names another: chat templates write results without ids.
    """
    for key, own in (("tool_call_id", "id"), ("name", "name")):
        if turn.get(key) and turn[key] != call.get(own, turn[key]):
            expected = "results in the order of the calls that they answer"
            shown = f"{key} {turn[key]}, the call has {call[own]}"
            raise Unfit("tool result of another call", shown, expected, FIX)


def _to_list(value: Any, what: str, expected: str) -> list[Any]:
    found = _loaded(value, what, expected)
    return list(found) if isinstance(found, list | tuple) else [found]


def _loaded(value: Any, what: str, expected: str) -> Any:
    """A value, or what its text says as JSON."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError as error:
        raise Unfit(f"{what} is not JSON", value, expected, FIX) from error
