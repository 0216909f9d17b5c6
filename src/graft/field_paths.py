"""Paths to a place in a row, such as `translation.en` or `instances[0].output`."""

import json
import re
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any

ABSENT = object()
"""The value at a path that does not exist; null of JSON is a value."""

_STEP = re.compile(r"\.?([^.\[\]]+|\[[^\[\]]*[^\W\d][^\[\]]*\])|\[(\d+|\*)\]")
_BRACKETS = re.compile(r"\[([^\[\]]*)\]")
EACH = "[*]"
"""In a path: all items of a list."""


@cache
def to_steps(path: str) -> tuple[str | int | None, ...]:
    """Names and indices of a path; None means all items of a list."""
    if "[" not in path:
        return tuple(path.split("."))
    return tuple(
        name or (None if index == "*" else int(index))
        for name, index in _STEP.findall(path)
    )


def walk(found: Any, steps: Sequence[str | int | None]) -> Any:
    """The value at the end of the steps from `found`, or `ABSENT`.

    A step into a text parses it as JSON, since tables such as CSV store objects so.
    """
    for at, step in enumerate(steps):
        if isinstance(found, str):
            found = _parse(found)
        if step is None:
            rest = steps[at + 1 :]
            if not isinstance(found, list | tuple):
                return ABSENT
            each = [walk(item, rest) for item in found]
            if None not in rest:
                return each
            return [
                x for part in each for x in (part if part is not ABSENT else [part])
            ]
        there = (
            isinstance(found, list | tuple) and step < len(found)
            if isinstance(step, int)
            else isinstance(found, dict) and step in found
        )
        if not there:
            return ABSENT
        found = found[step]
    return found


@lru_cache(maxsize=16)
def _parse(text: str) -> Any:
    """The object or list of a text in JSON without repeated keys; else `ABSENT`."""
    if not text.lstrip().startswith(("{", "[")):
        return ABSENT
    try:
        return json.loads(text, object_pairs_hook=_to_object)
    except (ValueError, RecursionError):
        return ABSENT


def _to_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        raise ValueError("a key occurs twice")
    return values


def path_error(path: str) -> str:
    """What is wrong with a path; empty if nothing.

    Brackets around a word, as in a column `price [EUR]`, are part of its name.
    """
    if path.count("[") != path.count("]"):
        return "a bracket is not closed"
    for inside in _BRACKETS.findall(path):
        if not re.fullmatch(r"\d+|\*|.*[^\W\d].*", inside):
            return f"[{inside}] is not an index; write [0] for one item, {EACH} for all"
    if path.startswith("[") or re.search(r"\[(?:\d+|\*)\][^.\[]", path):
        return "an index must follow a name, and end the path or precede a dot"
    return ""
