"""Rows → examples, or rejects with place, reason and fix."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from graft.config import DataConfig
from graft.data.convert.fields import Unfit, is_text, read_fields
from graft.data.convert.requirements import check_row, check_stratum
from graft.data.convert.task import Task
from graft.field_paths import ABSENT
from graft.records import (
    ORDER,
    ORDER_SHOWN,
    SPLITS,
    Message,
    Reject,
    Row,
    shorten,
)


def to_example(row: Row, data: DataConfig, task: Task) -> dict[str, Any] | Reject:
    """One line of EXAMPLE_SCHEMA, or a reject.

    The id is a hash of the task and the messages, so it does not depend on other rows.
    Rows with the same messages have the same id until `preprocess` drops or numbers
    them. The group is the value of `data.group`; if it is empty, `preprocess` derives
    it from the clean prompt.
    """
    try:
        group = _label(row, data.group) if data.group else ""
        stratum = _label(row, data.stratum) if data.stratum else "all"
        check_stratum(stratum, data.strata)
        split = _official(row, data.split) if data.split else row.split
        check_row(row, data.required, data.ranges)
        values = read_fields(row, data.fields, task.fields)
        messages, references = task.to_example(values)
        _check_turns(messages)
    except Unfit as unfit:
        if is_preference(row.values, data):
            unfit = Unfit("preference data", unfit.reason, *PREFERENCE_FIX)
        return Reject(
            row.where,
            "convert",
            unfit.reason,
            shorten(unfit.value),
            unfit.expected,
            unfit.fix,
            row=_as_json(row.values),
        )
    return {
        "id": identity(task.name, messages),
        "messages": [{**m, "learn": m.get("learn")} for m in messages],
        "references": references,
        "group": group,
        "stratum": stratum,
        "split": split,
        "where": row.where,
    }


PREFERENCE = {"chosen", "rejected"}
PREFERENCE_FIX = (
    "chats or answers to train on; preferences between two answers need another method",
    "map the chosen side to train on it only, such as data.fields.turns: chosen",
)


def is_preference(columns: Iterable[str], data: DataConfig) -> bool:
    """Whether rows have a chosen and a rejected answer, and no field maps one of
    them."""
    mapped = {re.split(r"[.\[]", path)[0] for path in data.fields.values()}
    return PREFERENCE <= {*columns} and not PREFERENCE & mapped


def _check_turns(messages: list[Message]) -> None:
    """Raises: Unfit unless the turns are in order and the assistant is last."""
    roles = " ".join(message["role"] for message in messages)
    if not re.match(ORDER, roles):
        fix = "correct the chat, or remove the row"
        raise Unfit("turns out of order", roles, ORDER_SHOWN, fix)


def identity(name: str, messages: Sequence[Message]) -> str:
    """An example's id: SHA-256 over the task and its messages, 16 hex digits."""
    parts = [name]
    for message in messages:
        content = message["content"]
        parts.append(f"\n{message['role']} {len(content.encode())} {content}")
        if message.get("learn") is False:
            parts.append("\nread only")
    return hashlib.sha256("".join(parts).encode()).hexdigest()[:16]


def _as_json(values: Mapping[str, Any]) -> str:
    """A row as JSON; invalid bytes as escapes."""
    text = json.dumps(values, ensure_ascii=False, default=str)
    return text if is_text(text) else json.dumps(values, default=str)


def num_requirements(data: DataConfig) -> int:
    """Number of requirements of a source on its rows besides the task's fields."""
    return len(data.required) + len(data.ranges) + (data.strata is not None)


def _label(row: Row, path: str) -> str:
    """A group or stratum: text, a number or a Boolean, as text."""
    value = row.get(path)
    if isinstance(value, bool | int | float | str) and str(value).strip():
        text = str(value).strip()
        if is_text(text):
            return text
    shown = "nothing" if value is ABSENT or value is None else value
    raise Unfit(
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
    raise Unfit(
        f"unknown split in {path}",
        value,
        f"{', '.join(SPLITS)}, or nothing",
        "correct the row, or set data.split to null",
    )
