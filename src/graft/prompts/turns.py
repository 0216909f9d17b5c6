"""Flat messages → the turns that chat templates read: OpenAI's, with tool calls."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from graft.errors import TemplateError
from graft.prompts.prompt_formats import Messages
from graft.records import ANSWER_ROLES, THINK_END, THINK_START


class Turns(NamedTuple):
    """A conversation as a chat template reads it.

    Attributes:
        messages: turns in OpenAI's format; an answer's text and tool calls are one.
        tools: definitions of tools, None if there are none.
        has_loss: whether each assistant turn carries loss.
    """

    messages: list[dict[str, Any]]
    tools: list[Any] | None
    has_loss: list[bool]

    @property
    def answers(self) -> list[int]:
        """Indices of the assistant's turns."""
        return [
            i for i, turn in enumerate(self.messages) if turn["role"] == "assistant"
        ]

    @property
    def need_answer(self) -> bool:
        """Whether the conversation ends without an answer."""
        return not self.messages or self.messages[-1]["role"] != "assistant"


def to_turns(messages: Messages, thinks_in: str | None = None) -> Turns:
    """The turns of a conversation.

    Args:
        thinks_in: the key from which a template reads the reasoning of an answer;
            None if reasoning stands in the text.
    Raises: TemplateError if tools or tool calls are no longer JSON, such as where
        cleaning replaced a number by a placeholder.
    """
    turns: list[dict[str, Any]] = []
    tools: list[Any] | None = None
    has_loss: list[bool] = []
    calls: list[Any] = []
    for message in messages:
        role, content = message["role"], message["content"]
        if role == "tools":
            tools = _loaded(content, role)
        elif role == "tool":
            call = calls.pop(0) if calls else {}
            ids = {"tool_call_id": call["id"]} if "id" in call else {}
            name = {"name": call["function"]["name"]} if call else {}
            turns.append({"role": role, **name, **ids, "content": content})
        elif role not in ANSWER_ROLES:
            turns.append({"role": role, "content": content})
        else:
            if role == "assistant" or not turns or turns[-1]["role"] != "assistant":
                turns.append({"role": "assistant", "content": ""})
                has_loss.append(message.get("learn") is not False)
            if role == "assistant":
                turns[-1] |= _spoken(content, thinks_in)
            else:
                own = _loaded(content, role)
                calls = [_to_call(call) for call in own]
                turns[-1]["tool_calls"] = list(calls)
    return Turns(turns, tools, has_loss)


def _spoken(content: str, thinks_in: str | None) -> dict[str, str]:
    """The text of an answer, and its reasoning if that has its own key."""
    opened = content.lstrip()
    if thinks_in and opened.startswith(THINK_START) and THINK_END in opened:
        thought, _, text = opened.removeprefix(THINK_START).partition(THINK_END)
        return {thinks_in: thought.strip("\n"), "content": text.lstrip("\n")}
    return {"content": content}


def _to_call(call: Mapping[str, Any]) -> dict[str, Any]:
    function = {"name": call["name"], "arguments": call["arguments"]}
    own = {"id": call["id"]} if "id" in call else {}
    return {**own, "type": "function", "function": function}


def _loaded(content: str, role: str) -> list[Any]:
    try:
        found = json.loads(content)
    except ValueError as error:
        raise TemplateError(
            f"a {role} turn",
            f"{role} are not JSON: {error}",
            expected="JSON, as convert wrote it",
            fix="leave such values alone in preprocess, or leave the chat out",
        ) from error
    return list(found)
