"""Conversions of fields to conversations, which several tasks share."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from graft.records import Message, Role


def from_turns(
    turns: Sequence[tuple[Role, str]],
) -> Callable[[Mapping[str, Any]], tuple[list[Message], list[str]]]:
    """The `to_example` of a task whose turns are unmodified fields."""

    def to_example(fields: Mapping[str, Any]) -> tuple[list[Message], list[str]]:
        messages = [Message(role=role, content=fields[name]) for role, name in turns]
        return messages, other_references(messages, fields)

    return to_example


def other_references(
    messages: Sequence[Message], fields: Mapping[str, Any]
) -> list[str]:
    """References in the field `references` other than the answer of the
    conversation."""
    known = messages[-1]["content"]
    return [t for t in dict.fromkeys(fields.get("references", [])) if t != known]


def question_and_answer(question: Sequence[str], answer: str) -> list[Message]:
    """A user turn of the parts of a question that are not empty, and the answer."""
    return [
        Message(role="user", content="\n\n".join(filter(None, question))),
        Message(role="assistant", content=answer),
    ]
