"""Rows → examples, or rejects with where, reason and fix."""

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from graft.config import DataConfig
from graft.data.fields import Field, Unfit, is_text, read_fields
from graft.records import ABSENT, SPLITS, Message, Reject, Row, shorten


class Kind(Protocol):
    """What is needed of a task."""

    @property
    def name(self) -> str:
        """The task's name."""

    @property
    def fields(self) -> Mapping[str, Field]:
        """What `data.fields` can map."""

    @property
    def to_example(
        self,
    ) -> Callable[[Mapping[str, Any]], tuple[list[Message], list[str]]]:
        """Fields → messages and further references. It raises Unfit."""


def to_example(row: Row, data: DataConfig, task: Kind) -> dict[str, Any] | Reject:
    """One line of EXAMPLE_SCHEMA, or why the row cannot be one.

    The id is a hash of the task and the messages: it stays when other rows come, go or
    move. Rows with the same messages have the same id until `preprocess` drops or
    numbers them. The group is the value of `data.group`, or empty: `preprocess` then
    fills it from the clean prompt.
    """
    try:
        group = _label(row, data.group) if data.group else ""
        stratum = _label(row, data.stratum) if data.stratum else "all"
        split = _official(row, data.split) if data.split else row.split
        values = read_fields(row, data.fields, task.fields)
        messages, references = task.to_example(values)
        _check_turns(messages)
    except Unfit as unfit:
        return Reject(
            row.where,
            "convert",
            unfit.reason,
            shorten(unfit.value),
            unfit.expected,
            unfit.fix,
        )
    return {
        "id": _identity(task.name, messages),
        "messages": messages,
        "references": references,
        "group": group,
        "stratum": stratum,
        "split": split,
        "where": row.where,
    }


def _check_turns(messages: list[Message]) -> None:
    """Raises: Unfit unless user and assistant take turns and the assistant is last."""
    roles = [message["role"] for message in messages]
    said = roles[1:] if roles[:1] == ["system"] else roles
    wanted = ["assistant" if (len(said) - i) % 2 else "user" for i in range(len(said))]
    if not said or said != wanted:
        raise Unfit(
            "turns out of order",
            " ".join(roles),
            "perhaps a system turn, then user and assistant in turn, the assistant "
            "last",
            "correct the chat, or remove the row",
        )


def _identity(name: str, messages: list[Message]) -> str:
    content = json.dumps([name, [[m["role"], m["content"]] for m in messages]])
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def _label(row: Row, path: str) -> str:
    """A group or stratum: text, a number or a truth value, as text."""
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
