"""Reasoning chat: conversations whose answers may begin with thinking.

There are two formats, distinguished by the fields that `data.fields` maps, never by the
content: the turns of a chat with its tools, and Alpaca's instruction, input and output.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from graft.data.convert.fields import Field, Unfit
from graft.data.convert.task import Task
from graft.records import ANSWER_ROLES, Message
from graft.tasks.conversions import question_and_answer
from graft.tasks.refused_columns import REFUSED, check_columns
from graft.tasks.tools import check_result, to_tools
from graft.tasks.turns import FIX, to_messages


def to_example(fields: Mapping[str, Any]) -> tuple[list[Message], list[str]]:
    """The chat, or a chat made of instruction and output.

    `answers` are bare results to compare final answers with; they become references.
    """
    check_columns(fields)
    if "turns" in fields:
        messages = _to_chat(fields["turns"])
    else:
        question = [fields["instruction"], fields.get("input", "")]
        messages = question_and_answer(question, fields["output"])
    if "system" in fields and not any(m["role"] == "system" for m in messages[:1]):
        messages = [Message(role="system", content=fields["system"]), *messages]
    if tools := to_tools(fields.get("tools")):
        messages = [Message(role="tools", content=tools), *messages]
    return messages, fields.get("answers", [])


def _to_chat(turns: Sequence[Mapping[str, Any]]) -> list[Message]:
    chat: list[Message] = []
    calls: list[Any] = []
    for turn in turns:
        for message in to_messages(turn):
            if message["role"] == "tool_calls":
                _check_same_loss(chat[-1:], message)
                calls = json.loads(message["content"])
            elif message["role"] == "tool":
                check_result(turn, calls.pop(0) if calls else None)
            chat.append(message)
    answers = [message for message in chat if message["role"] in ANSWER_ROLES]
    if answers and all(message.get("learn") is False for message in answers):
        fix = "set the weight of an answer to 1, or remove the chat"
        raise Unfit("no answer carries loss", chat, "an answer with loss", fix)
    return chat


def _check_same_loss(before: Sequence[Message], calls: Message) -> None:
    """A text and the calls after it are one answer, so both or neither carry loss.

    Raises: Unfit if their weights differ.
    """
    for text in before:
        if text["role"] == "assistant" and text.get("learn") != calls.get("learn"):
            shown, expected = [text, calls], "the same weight for a text and its calls"
            raise Unfit("loss weights disagree", shown, expected, FIX)


REASONING = Task(
    name="reasoning",
    fields={
        "turns": Field("turns"),
        "instruction": Field(),
        "input": Field(optional=True),
        "output": Field(),
        "system": Field(optional=True, implied=True),
        "answers": Field("texts", optional=True),
        "tools": Field("any", optional=True, implied=True),
        **{name: Field("any", optional=True, implied=True) for name in REFUSED},
    },
    to_example=to_example,
    metrics=(
        "final_answer",
        "format",
        "tool_calls",
        "response_length",
        "perplexity",
    ),
    demo_row={
        "turns": [
            {"role": "user", "content": "2 + 3?"},
            {"role": "assistant", "content": "<think>\n2, 3, 5\n</think>\n\n#### 5"},
        ],
        "answers": ["5"],
    },
    alternatives=(("turns",), ("instruction", "output")),
)
