"""Rows → examples, or rejects with where, reason and fix."""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from graft.config import DataConfig
from graft.records import ABSENT, SPLITS, Message, Reject, Row, shorten

ToExample = Callable[[Mapping[str, Any]], tuple[list[Message], list[str]]]

_SURROGATE = re.compile("[\ud800-\udfff]")


class _Unfit(Exception):
    """A value that makes its row no example; the arguments are a Reject's last four."""


def to_example(
    row: Row, data: DataConfig, task: ToExample, name: str
) -> dict[str, Any] | Reject:
    """One line of EXAMPLE_SCHEMA, or why the row cannot be one.

    The id is a hash of the task and the messages: it stays when other rows come, go or
    move. Rows with the same messages have the same id until `preprocess` drops or
    numbers them. The group is the value of `data.group`, or empty: `preprocess` then
    fills it from the clean prompt.

    Args:
        row: a row as read.
        data: names the columns.
        task: fields → messages and references.
        name: the task's name.
    """
    try:
        fields = {field: _text(row, path) for field, path in data.fields.items()}
        group = _label(row, data.group) if data.group else ""
        stratum = _label(row, data.stratum) if data.stratum else "all"
        split = _official(row, data.split) if data.split else row.split
    except _Unfit as unfit:
        reason, value, expected, fix = unfit.args
        return Reject(row.where, "convert", reason, shorten(value), expected, fix)
    messages, references = task(fields)
    return {
        "id": _identity(name, messages),
        "messages": messages,
        "references": references,
        "group": group,
        "stratum": stratum,
        "split": split,
        "where": row.where,
    }


def _identity(name: str, messages: list[Message]) -> str:
    content = json.dumps([name, [[m["role"], m["content"]] for m in messages]])
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def _text(row: Row, path: str) -> str:
    """The text at a path, neither blank nor with bytes that are no text."""
    value = row.get(path)
    if isinstance(value, str):
        if not value or value.isspace():
            raise _Unfit(
                f"empty field {path}",
                value,
                f"text in {path!r}",
                "fill the field, or remove the row",
            )
        if not value.isascii() and (bad := _SURROGATE.search(value)):
            raise _Unfit("bad bytes", *_bad_bytes(path, value, bad))
        return value
    if value is ABSENT or value is None:
        raise _Unfit(
            f"missing field {path}",
            f"the row has {', '.join(map(str, row.values)) or 'no field'}",
            f"text in {path!r}",
            "add the field, or remove the row",
        )
    raise _Unfit(
        f"wrong type in {path}",
        value,
        f"text in {path!r}, not {type(value).__name__}",
        "write it as text, or correct data.fields",
    )


def _bad_bytes(path: str, value: str, bad: re.Match[str]) -> tuple[str, str, str]:
    """Value, expected and fix. A byte of another encoding was read as a surrogate."""
    near = value[max(0, bad.start() - 30) : bad.start() + 30]
    code = ord(bad[0])
    if 0xDC80 <= code <= 0xDCFF:
        shown = _SURROGATE.sub(lambda m: f"\\x{ord(m[0]) - 0xDC00:02x}", near)
        what = f"byte 0x{code - 0xDC00:02X} at character {bad.start() + 1} of {path!r}"
        return (
            f"{what}: {shown}",
            "text in the encoding that data.encoding names",
            "set data.encoding to what the file is written in, such as cp1252 or "
            "latin-1; or correct the row",
        )
    return (
        f"half a character (U+{code:04X}) at {bad.start() + 1} of {path!r}: {near}",
        "both halves of a surrogate pair",
        "correct the escape in the row, or remove the row",
    )


def _label(row: Row, path: str) -> str:
    """A group or stratum: text, a number or a truth value, as text."""
    value = row.get(path)
    if isinstance(value, bool | int | float | str) and str(value).strip():
        text = str(value).strip()
        if not _SURROGATE.search(text):
            return text
    shown = "nothing" if value is ABSENT or value is None else value
    raise _Unfit(
        f"missing field {path}" if shown == "nothing" else f"wrong type in {path}",
        shown,
        f"a word or a number in {path!r}",
        "fill the field, remove the row, or set data.group or data.stratum to null",
    )


def _official(row: Row, path: str) -> str | None:
    value = row.get(path)
    if value is ABSENT or value is None or value == "":
        return row.split
    if value in SPLITS:
        return str(value)
    raise _Unfit(
        f"unknown split in {path}",
        value,
        f"{', '.join(SPLITS)}, or nothing",
        "correct the row, or set data.split to null",
    )
