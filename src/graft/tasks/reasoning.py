"""Reasoning chat: conversations whose answers may think before they say.

Three forms, told apart by the fields that `data.fields` maps and by each turn's keys,
never by what a text looks like: the turns of a chat as OpenAI writes them ({role,
content}) or as ShareGPT does ({from, value}), and Alpaca's instruction, input, output.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from graft.data.fields import Field, Unfit, check_bytes
from graft.records import Message, Role
from graft.tasks.base import Task

ROLES: Mapping[str, Role] = {
    "system": "system",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "gpt": "assistant",
}
"""OpenAI's and ShareGPT's names of who speaks."""
THINK = "<think>\n{}\n</think>\n\n"


def to_example(fields: Mapping[str, Any]) -> tuple[list[Message], list[str]]:
    """The chat as it stands, or the instruction and its output as one.

    `answer` is a bare result to check a final answer by; it becomes a reference.
    """
    if "turns" in fields:
        messages = [_to_message(turn) for turn in fields["turns"]]
    else:
        asked = [fields["instruction"], fields.get("input", "")]
        messages = [
            Message(role="user", content="\n\n".join(filter(None, asked))),
            Message(role="assistant", content=fields["output"]),
        ]
    if "system" in fields and messages[0]["role"] != "system":
        messages = [Message(role="system", content=fields["system"]), *messages]
    return messages, fields.get("answers", [])


def _to_message(turn: Mapping[str, Any]) -> Message:
    name, said = (
        (turn.get("role"), turn.get("content"))
        if "role" in turn
        else (turn.get("from"), turn.get("value"))
    )
    role = ROLES.get(str(name))
    if role is None:
        raise Unfit(
            "unknown role",
            f"{name!r} in a turn with the keys {', '.join(turn)}",
            f"a turn with role and content, or from and value, by one of "
            f"{', '.join(ROLES)}",
            "leave out chats with tools, or write the turn so",
        )
    text = said if isinstance(said, str) else _join(said)
    if not text.strip():
        raise Unfit(
            "empty turn", f"{name}: {said}", "text in every turn", "remove the row"
        )
    check_bytes(str(name), text)
    return Message(role=role, content=text)


def _join(parts: Any) -> str:
    """A turn in parts, as multimodal chats have it: only text and reasoning count."""
    if not isinstance(parts, Sequence):
        raise _no_text(parts)
    texts = []
    for part in parts:
        kind = part.get("type") if isinstance(part, Mapping) else None
        text = part.get("text", part.get("value")) if kind else None
        if kind not in ("text", "reasoning") or not isinstance(text, str):
            raise _no_text(part)
        texts.append(THINK.format(text.strip()) if kind == "reasoning" else text)
    return "".join(texts)


def _no_text(value: object) -> Unfit:
    return Unfit(
        "a turn is not text",
        value,
        "text, or a list of parts of type text or reasoning",
        "leave out chats with pictures or tools, or write the turn as text",
    )


REASONING = Task(
    name="reasoning",
    fields={
        "turns": Field("turns"),
        "instruction": Field(),
        "input": Field(optional=True),
        "output": Field(),
        "system": Field(optional=True),
        "answers": Field("texts", optional=True),
    },
    to_example=to_example,
    metrics=("final_answer", "format", "response_length", "perplexity"),
    demo_row={
        "turns": [
            {"role": "user", "content": "2 + 3?"},
            {"role": "assistant", "content": "<think>\n2, 3, 5\n</think>\n\n#### 5"},
        ],
        "answers": ["5"],
    },
    forms=(("turns",), ("instruction", "output")),
)
