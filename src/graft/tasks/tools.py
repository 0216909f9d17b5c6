"""Convert tool definitions and tool calls in common schemas to one JSON format."""

import json
from collections.abc import Collection, Mapping
from typing import Any

from graft.data.convert.fields import Unfit

FIX = "correct the chat, or remove it"
CALLS = "calls with a name and arguments, {name, arguments} or OpenAI's tool_calls"
_OUTER_KEYS = ("type", "function", "id", "index")
_CALL_KEYS = ("type", "name", "arguments", "parameters", "id", "index")
TOOLS = "a list of tools, {name, description, parameters} or OpenAI's {type, function}"


def to_calls(value: Any) -> str:
    """Tool calls as a JSON list of {name, arguments}, with ids where present.

    Raises: Unfit.
    """
    calls = []
    for item in _to_list(value, "tool call", CALLS):
        calls += [_to_call(call) for call in _to_list(item, "tool call", CALLS)]
    if not calls:
        raise Unfit("no tool call", value, CALLS, FIX)
    return json.dumps(calls, ensure_ascii=False)


def _to_call(value: Any) -> dict[str, Any]:
    function = _function_of(value, "tool call", CALLS)
    passed = [function.get(k) for k in ("arguments", "parameters")]
    passed = [item for item in passed if item not in (None, "")] or [{}]
    if len(passed) > 1:
        raise Unfit("arguments of a tool call twice", value, CALLS, FIX)
    arguments = _loaded(passed[0], "arguments of a tool", CALLS)
    if not isinstance(arguments, Mapping):
        raise Unfit("arguments of a tool call are not an object", value, CALLS, FIX)
    check_keys(function, _CALL_KEYS, "tool call", CALLS)
    own = {"id": value["id"]} if value.get("id") else {}
    return own | {"name": function["name"], "arguments": dict(arguments)}


def _function_of(value: Any, what: str, expected: str) -> Mapping[str, Any]:
    """The function of a tool or a call. Raises: Unfit."""
    kind = value.get("type") if isinstance(value, Mapping) else value
    if not isinstance(value, Mapping) or kind not in (None, "function"):
        raise Unfit(f"{what} of another kind", value, expected, FIX)
    function = value.get("function", value)
    name = function.get("name") if isinstance(function, Mapping) else None
    if not isinstance(name, str) or not name.strip():
        raise Unfit(f"{what} without a name", value, expected, FIX)
    if function is not value:
        check_keys(value, _OUTER_KEYS, what, expected)
    found: Mapping[str, Any] = function
    return found


def check_keys(
    value: Mapping[str, Any], known: Collection[str], what: str, expected: str
) -> None:
    """Raises: Unfit for an unknown key that is not empty."""
    for key, item in value.items():
        if key not in known and item not in (None, "", [], {}):
            raise Unfit(f"unknown field {key} of a {what}", value, expected, FIX)


def to_tools(value: Any) -> str:
    """Tool definitions as JSON in OpenAI's format; empty if there are none.

    Raises: Unfit.
    """
    if value in (None, "", [], {}):
        return ""
    tools = []
    for item in _to_list(value, "tools", TOOLS):
        tool = _loaded(item, "a tool", TOOLS)
        tools.append(
            {"type": "function", "function": _function_of(tool, "tool", TOOLS)}
        )
    return json.dumps(tools, ensure_ascii=False) if tools else ""


def check_result(turn: Mapping[str, Any], call: Mapping[str, Any] | None) -> None:
    """Check that a tool result belongs to the call at its position.

    Chat templates write results without ids, so their order must be that of the calls.

    Raises: Unfit if there is no call, or the result names another one.
    """
    if call is None:
        raise Unfit("tool result without a call", turn, "a result for each call", FIX)
    for key, own in (("tool_call_id", "id"), ("name", "name")):
        if turn.get(key) and turn[key] != call.get(own, turn[key]):
            expected = "results in the order of the calls that they answer"
            shown = f"{key} {turn[key]}, the call has {call[own]}"
            raise Unfit("tool result of another call", shown, expected, FIX)


def _to_list(value: Any, what: str, expected: str) -> list[Any]:
    found = _loaded(value, what, expected)
    return list(found) if isinstance(found, list | tuple) else [found]


def _loaded(value: Any, what: str, expected: str) -> Any:
    """A value, parsed from JSON if it is text."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value, parse_constant=_no_constant)
    except ValueError as error:
        raise Unfit(f"{what} is not JSON", value, expected, FIX) from error


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
