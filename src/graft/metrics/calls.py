"""Exact match of tool calls: the same tools with the same arguments.

A reference contains tool calls if it is a JSON list of {name, arguments}. Completions
are parsed in the formats of common chat templates: such a list or its items, with or
without <tool_call> tags, `parameters` for `arguments`, arguments as a JSON string, and
OpenAI's {function: {...}}. The order of keys and of calls, spaces and ids are ignored,
and 1.0 equals 1. Everything else must be equal, including the case of letters.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import regex

from graft.metrics.statistics import Array, Metric, Segments, averaged, percent
from graft.records import THINK_END

_OPENING = regex.compile(r"[\[{]")
_DECODER = json.JSONDecoder()


def find_calls(text: str) -> list[str]:
    """The calls in a text after its thinking, each as canonical JSON, sorted."""
    values = _json_values(text.rpartition(THINK_END)[2])
    return sorted(call for value in values for call in _calls(value) or [])


def reference_calls(reference: str) -> list[str]:
    """The calls of a reference; empty if it is an answer in words."""
    try:
        value = json.loads(reference)
    except ValueError:
        return []
    return sorted(_calls(value) or []) if isinstance(value, list) else []


def count_calls(segments: Segments) -> tuple[Array, str]:
    """1 where the calls equal those of a reference; not counted without reference
    calls."""
    found = []
    for completion, references in segments.pairs():
        gold = [calls for text in references if (calls := reference_calls(text))]
        found.append(float(find_calls(completion) in gold) if gold else None)
    return averaged(found), "calls|name,arguments|order:any"


def missing_calls(references: Sequence[Sequence[str]]) -> str:
    """The reason why nothing can be scored: no reference contains tool calls."""
    if any(reference_calls(text) for texts in references for text in texts):
        return ""
    return "no reference calls a tool"


def _json_values(text: str) -> Iterator[Any]:
    """The JSON lists and objects in a text, from left to right."""
    place = 0
    while found := _OPENING.search(text, place):
        try:
            value, place = _DECODER.raw_decode(text, found.start())
        except (ValueError, RecursionError):
            place = found.end()
            continue
        yield value


def _calls(value: Any) -> list[str] | None:
    """Calls as JSON in one form; None if a part of the value is anything else."""
    calls = [_call(item) for item in (value if isinstance(value, list) else [value])]
    found = [call for call in calls if call is not None]
    return found if len(found) == len(calls) else None


def _call(item: Any) -> str | None:
    """A call as JSON with its keys sorted, without its id."""
    function = item.get("function", item) if isinstance(item, dict) else None
    if not isinstance(function, dict):
        return None
    arguments = function.get("arguments", function.get("parameters"))
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments)
        except ValueError:
            return None
    name = function.get("name")
    if not isinstance(name, str) or not isinstance(arguments, dict):
        return None
    return json.dumps([name, _plain(arguments)], sort_keys=True)


def _plain(value: Any) -> Any:
    """A value with integral floats as integers: 1.0 becomes 1."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    is_integral = isinstance(value, float) and value.is_integer()
    return int(value) if is_integral else value


CALL_METRICS = [
    Metric(
        "tool_calls",
        "Tool calls, exact match, %",
        count_calls,
        percent,
        unsuitable=missing_calls,
    )
]
