"""Held-out examples as prompts."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from graft.inference.examples import HeldOutExample
from graft.inference.generation import TextEnds
from graft.records import Message

SHOWN: tuple[Literal["role", "content"], ...] = ("role", "content")


class PromptTemplate(TextEnds, Protocol):
    """The methods of a prompt template that evaluation uses."""

    def encode_prompt(self, messages: Sequence[Message]) -> list[int]:
        """Token ids after which the model writes the last answer."""

    def decode(self, ids: Sequence[int], *, start: bool = False) -> str:
        """Text of ids, without control tokens. `start`: they open a document."""

    def show(self, ids: Sequence[int]) -> str:
        """Text of ids, control tokens by name."""


@dataclass(frozen=True)
class Prompt:
    """A prompt for both models.

    Args:
        ids: token ids.
        text: what a reader sees of it: the last user turn.
        references: all correct answers, the conversation's own first.
        history: the turns before the last user turn.
    """

    ids: list[int]
    text: str
    references: list[str]
    history: list[dict[str, str]] = field(default_factory=list)


def to_prompt(
    example: HeldOutExample, template: PromptTemplate, prompt_tokens: int
) -> Prompt:
    """The prompt of an example.

    A text without a user turn is prompted with its own first `prompt_tokens`, at most
    half of it, and the rest is the reference.
    """
    turns: list[dict[str, str]] = [
        {key: turn[key] for key in SHOWN} for turn in example.messages
    ]
    users = [place for place, turn in enumerate(turns) if turn["role"] == "user"]
    if users:
        last = users[-1]
        references = [example.messages[-1]["content"], *example.references]
        ids = template.encode_prompt(example.messages)
        return Prompt(ids, turns[last]["content"], references, turns[:last])
    first = example.loss_mask.index(True)
    half = (len(example.input_ids) - first) // 2
    end = first + min(prompt_tokens, max(half, 1))
    ids = example.input_ids
    text = template.decode(ids[first:end], start=True)
    rest = template.decode(ids[end:])
    return Prompt(ids[:end], text, [rest or text])
