"""From messages to ids: the same code for training, evaluation and serving."""

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

import numpy as np

from graft.errors import TemplateError
from graft.io import digest
from graft.prompts.prompt_formats import (
    Messages,
    PromptFormat,
    needs_answer,
    without_answer,
)
from graft.prompts.token_bytes import TokenBytes
from graft.prompts.tokenizers import Tokenizer
from graft.records import Encoded, Message
from graft.records.ragged import Tokens

_PROBE = [
    Message(role="user", content="Où est-elle ?\n\t2+2 = 4"),
    Message(role="assistant", content="Là-bas…"),
]


class Template:
    """A prompt format, a tokenizer, and the system turn of conversations without one.

    Attributes:
        hash: changes with anything that changes ids: the format, the control tokens,
            the tokenizer's content, the system turn.
        pad_id: pads a batch. It is never one of `stop_ids`, so that padding is not
            mistaken for the end of an answer.
        eos_id: the tokenizer's end token.
        stop_ids: ids that end an answer, in ascending order: the end-of-turn token
            that carries loss, and `eos_id`.
        vocab_size: greater than every id that a sequence can contain. The tokenizer
            may have more: control tokens that neither text nor this template writes.
        byte_ids: tokens of single bytes that `decode` reads run by run.
    """

    def __init__(
        self, prompt_format: PromptFormat, tokenizer: Tokenizer, system: str | None
    ) -> None:
        self._format = prompt_format
        self._tokenizer = tokenizer
        self._system = system
        self.eos_id = tokenizer.eos_id
        self.byte_ids = tokenizer.byte_ids
        probe = list(prompt_format.segments([self._whole(_PROBE)]).ragged)
        self.stop_ids = sorted({tokenizer.eos_id, probe[-1][-1]})
        self._control = re.compile(
            "|".join(map(re.escape, prompt_format.reserved)) or "(?!)"
        )
        shown = [
            number
            for text, number in tokenizer.control.items()
            if text in prompt_format.text
        ]
        highest = max(*shown, *self.stop_ids, *(i for ids in probe for i in ids))
        self.vocab_size = max(tokenizer.vocab_size, highest + 1)
        self.pad_id = _choose_pad(tokenizer, self.stop_ids, self.vocab_size)
        self.vocab_size = max(self.vocab_size, self.pad_id + 1)
        self.hash = digest(
            {
                "form": prompt_format.text,
                "separator": prompt_format.separator,
                "system": system,
                "bos": tokenizer.bos_id,
                "stop": self.stop_ids,
                "pad": self.pad_id,
                "tokenizer": tokenizer.digest,
                "probe": probe,
            }
        )

    def refusal(self, messages: Messages) -> str:
        """Why this conversation cannot be trained on; empty if it can."""
        if needs_answer(messages):
            return "the last turn is not the assistant's"
        return self._order_error(messages)

    def encode(self, batch: Sequence[Messages]) -> list[Encoded]:
        """Ids and loss mask of each conversation, each of which ends in an answer.

        Raises: TemplateError if one cannot be written in this format.
        """
        for messages in batch:
            _require_none(self.refusal(messages))
        tokens = self.to_tokens(batch)
        return [tokens.row(number) for number in range(len(batch))]

    def to_tokens(self, batch: Sequence[Messages]) -> Tokens:
        """The same as flat arrays, for conversations that `refusal` accepts."""
        parts = self._format.segments([self._whole(messages) for messages in batch])
        ends = np.concatenate([[0], np.cumsum(parts.counts)])
        return Tokens(
            parts.ragged.ids,
            parts.has_loss.repeat(parts.ragged.lengths),
            parts.ragged.starts[ends],
        )

    def encode_prompt(self, messages: Messages) -> list[int]:
        """Ids of the prompt for the last answer: all that precedes it in training.

        An answer at the end is left out. Raises: TemplateError.
        """
        messages = without_answer(messages)
        _require_none(self._order_error(messages))
        found: list[int] = self._format.segments(
            [self._whole(messages)]
        ).ragged.ids.tolist()
        return found

    def decode(self, ids: Sequence[int], *, start: bool = False) -> str:
        """The answer of ids that follow `encode_prompt`. `start`: they open a document
        that has no prompt."""
        if start:
            return self._tokenizer.decode(ids, start=True)
        return self._tokenizer.decode(ids).removeprefix(self._format.separator)

    def show(self, ids: Sequence[int]) -> str:
        """Text of ids, with control tokens by name."""
        return self._tokenizer.show(ids)

    def token_bytes(self) -> TokenBytes:
        """What each token adds to an answer. Raises: TemplateError if that depends on
        other tokens."""
        return self._tokenizer.token_bytes()

    def encode_text(self, text: str) -> list[int]:
        """Ids of a text that continues an answer."""
        (ids,) = self._tokenizer.encode([text], start=False)
        return list(ids)

    def _whole(self, messages: Messages) -> Messages:
        """The conversation with the configured system turn, if it has none."""
        if self._system is None:
            return messages
        at = 1 if messages and messages[0]["role"] == "tools" else 0
        if any(message["role"] == "system" for message in messages[at : at + 1]):
            return messages
        system = Message(role="system", content=self._system)
        return [*messages[:at], system, *messages[at:]]

    def _order_error(self, messages: Messages) -> str:
        problem = _order_error(tuple(message["role"] for message in messages))
        if problem or not self._format.reserved:
            return problem
        for message in messages:
            if self._control.search(message["content"]):
                text = next(t for t in self._format.reserved if t in message["content"])
                return f"a {message['role']} turn contains the control token {text}"
        return ""


@lru_cache(maxsize=1024)
def _order_error(roles: tuple[str, ...]) -> str:
    if "tools" in roles[1:]:
        return "tools stand after the first turn"
    if "system" in roles[1 + (roles[:1] == ("tools",)) :]:
        return "a system turn stands after the first turn"
    for one, other in pairwise(roles):
        if one == other != "tool":
            return f"two {one} turns stand in a row"
        needs_calls = other == "tool" and one not in _AFTER
        if needs_calls or other not in _AFTER.get(one, roles):
            return f"a {other} turn stands after {one}"
    return ""


_AFTER = {"tool_calls": ("tool",), "tool": ("tool", "assistant", "tool_calls")}
"""Roles that may follow tool calls and tool results."""


def _choose_pad(tokenizer: Tokenizer, stop_ids: list[int], size: int) -> int:
    """The first id for padding that does not end an answer, if possible one that
    sequences contain too. Since masks are explicit, any such id is right."""
    for limit in (size, float("inf")):
        for number in tokenizer.pads:
            if number not in stop_ids and number < limit:
                return number
    raise TemplateError(
        "the tokenizer",
        "has no token for padding except those that end an answer",
        expected="a pad_token that is not the eos_token",
        fix="add one to tokenizer_config.json and tokenizer.json",
    )


def _require_none(problem: str) -> None:
    if problem:
        raise TemplateError(
            "a conversation",
            problem,
            expected="user and assistant in turn, optionally after one system turn",
            fix="correct the example",
        )
