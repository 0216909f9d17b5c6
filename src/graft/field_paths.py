"""Paths to values in a row, such as `translation.en` or `instances[0].output`."""

import json
import re
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any

ABSENT = object()
"""Result for a path that does not exist, as opposed to JSON's null."""

_STEP = re.compile(r"\.?([^.\[\]]+|\[[^\[\]]*[^\W\d][^\[\]]*\])|\[(\d+|\*)\]")
_BRACKETS = re.compile(r"\[([^\[\]]*)\]")
EACH = "[*]"
"""In a path, stands for all items of a list."""


@cache
def to_steps(path: str) -> tuple[str | int | None, ...]:
    """The steps of a path: names, list indices, or None for all items of a list."""
    if "[" not in path:
        return tuple(path.split("."))
    return tuple(
        name or (None if index == "*" else int(index))
        for name, index in _STEP.findall(path)
    )


def walk(value: Any, steps: Sequence[str | int | None]) -> Any:
    """The value that is reached from `value` by the steps, or `ABSENT`.

    A text with further steps is parsed as JSON, since tables such as CSV files store
    objects and lists as JSON text.
    """
    for index, step in enumerate(steps):
        if isinstance(value, str):
            value = _parse(value)
        if step is None:
            rest = steps[index + 1 :]
            if not isinstance(value, list | tuple):
                return ABSENT
            parts = [walk(item, rest) for item in value]
            if None not in rest:
                return parts
            return [
                x for part in parts for x in (part if part is not ABSENT else [part])
            ]
        exists = (
            isinstance(value, list | tuple) and step < len(value)
            if isinstance(step, int)
            else isinstance(value, dict) and step in value
        )
        if not exists:
            return ABSENT
        value = value[step]
    return value


@lru_cache(maxsize=16)
def _parse(text: str) -> Any:
    """A text parsed as JSON; `ABSENT` unless it is an object or list without repeated
    keys."""
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
    """The error in a path; empty if the path is valid.

    Brackets around a word, as in a column `price [EUR]`, are part of the name.
    """
    if path.count("[") != path.count("]"):
        return "a bracket is not closed"
    for inside in _BRACKETS.findall(path):
        if not re.fullmatch(r"\d+|\*|.*[^\W\d].*", inside):
            return f"[{inside}] is not an index; write [0] for one item, {EACH} for all"
    if path.startswith("[") or re.search(r"\[(?:\d+|\*)\][^.\[]", path):
        return "an index must follow a name, and must end the path or precede a dot"
    return ""
