"""Whether a chat template writes all contents of a conversation."""

import json
from collections.abc import Mapping
from typing import Any

from graft.errors import TemplateError
from graft.prompts.rendering import Renderer, unusable
from graft.prompts.turns import Turns
from graft.records import THINK_END, THINK_START

_MARK = "x7d1f0c52"
"""A text that no turn contains by chance."""
_QUESTION = {"role": "user", "content": "2+2?"}
_CALL = {
    "id": "a1b2c3d4e",
    "type": "function",
    "function": {"name": f"call_{_MARK}", "arguments": {"city": f"in_{_MARK}"}},
}
_CALLS = {"role": "assistant", "content": "", "tool_calls": [_CALL]}
_TOOL = {
    "type": "function",
    "function": {
        "name": f"tool_{_MARK}",
        "description": "Adds.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string", "description": "Where."}},
            "required": ["city"],
        },
    },
}


class ContentCheck:
    """Checks that a rendered text has all contents. Whether the template writes each
    kind of turn is tried once."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer
        self._keeps: dict[str, bool] = {}

    def check(self, text: str, turns: Turns) -> None:
        """Raises: TemplateError that names what the text of the turns lacks."""
        if any(turn["role"] == "system" for turn in turns.messages[:1]):
            system = {"role": "system", "content": _MARK}
            self._require("the system turn", [_MARK], [system, _QUESTION])
        if turns.tools:
            self._require("the tools", [f"tool_{_MARK}"], [_QUESTION], [_TOOL])
        if any(turn.get("tool_calls") for turn in turns.messages):
            values = [f"call_{_MARK}", f"in_{_MARK}"]
            self._require("calls of tools", values, [_QUESTION, _CALLS])
        for place, turn in enumerate(turns.messages):
            thought = turn.get(self._renderer.thinks_in or "")
            for value in (thought, turn["content"]):
                if value and not _contains(value, text):
                    self._require_only_stripped(text, turns, place)
            for call in turn.get("tool_calls", []):
                if not _contains(call["function"]["name"], text):
                    raise unusable("drops or rewrites a call of a tool")

    def _require(
        self,
        what: str,
        values: list[str],
        messages: list[dict[str, Any]],
        tools: list[Any] | None = None,
    ) -> None:
        if what not in self._keeps:
            needs_answer = messages[-1]["role"] != "assistant"
            try:
                text = self._renderer.render(messages, tools, prompt=needs_answer)[0]
                self._keeps[what] = all(value in text for value in values)
            except TemplateError:  # raised again for the conversation itself
                self._keeps[what] = True
        if not self._keeps[what]:
            raise unusable(f"drops {what}")

    def _require_only_stripped(self, text: str, turns: Turns, place: int) -> None:
        """Raises: TemplateError unless the turn is an earlier answer, and only its
        reasoning is missing."""
        turn = turns.messages[place]
        role = turn["role"]
        spoken = without_thought(turn["content"].strip())
        if role != "assistant" or spoken not in text:
            article = "an" if role == "assistant" else "a"
            raise unusable(f"drops or rewrites {article} {role} turn")
        if place == len(turns.messages) - 1:
            raise unusable("drops the thinking of the last answer")


def _contains(value: str, text: str) -> bool:
    """Whether a text contains a value, verbatim or as JSON."""
    stripped = value.strip()
    return stripped in text or json.dumps(stripped, ensure_ascii=False)[1:-1] in text


def contains_answer(turn: Mapping[str, Any], text: str, thinks_in: str | None) -> bool:
    """Whether the text contains all reasoning and content of an answer."""
    content = (
        turn["content"].strip().removeprefix(THINK_START)
    )  # the prompt may end in it
    values = (turn.get(thinks_in or "") or "", content)
    return all(_contains(value, text) for value in values)


def without_thought(answer: str) -> str:
    """An answer without its reasoning."""
    return answer.rpartition(THINK_END)[2].strip()


def names_of(turn: Mapping[str, Any]) -> list[str]:
    """Names of the tools that a turn calls."""
    return [call["function"]["name"] for call in turn.get("tool_calls", [])]
