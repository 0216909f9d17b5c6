"""The one way from messages to ids, for training, evaluation and serving alike."""

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

import numpy as np

from graft.errors import TemplateError
from graft.io import digest
from graft.prompts.forms import Form, Messages, is_asking, without_answer
from graft.prompts.pools import Tokens
from graft.prompts.tokenizers import Tokenizer
from graft.records import Encoded, Message

_PROBE = [
    Message(role="user", content="Où est-elle ?\n\t2+2 = 4"),
    Message(role="assistant", content="Là-bas…"),
]


class Template:
    """A form, a tokenizer, and the system turn of conversations that have none.

    Attributes:
        hash: changes with anything that changes ids: the form, the control tokens,
            the tokenizer's content, the system turn.
        pad_id: fills a batch; never one of `stop_ids`, so that padding cannot be
            taken for the end of an answer.
        eos_id: the tokenizer's end token.
        stop_ids: what ends an answer, in ascending order: the end-of-turn token that
            training learns, and `eos_id`.
        vocab_size: above every id that a sequence can have. The tokenizer may have
            more: control tokens that neither text nor this template writes.
    """

    def __init__(self, form: Form, tokenizer: Tokenizer, system: str | None) -> None:
        self._form = form
        self._tokenizer = tokenizer
        self._system = system
        self.eos_id = tokenizer.eos_id
        probe = list(form.segments([self._whole(_PROBE)]).pool)
        self.stop_ids = sorted({tokenizer.eos_id, probe[-1][-1]})
        self._control = re.compile("|".join(map(re.escape, form.reserved)) or "(?!)")
        shown = [
            number for text, number in tokenizer.control.items() if text in form.text
        ]
        highest = max(*shown, *self.stop_ids, *(i for ids in probe for i in ids))
        self.vocab_size = max(tokenizer.vocab_size, highest + 1)
        self.pad_id = _choose_pad(tokenizer, self.stop_ids, self.vocab_size)
        self.vocab_size = max(self.vocab_size, self.pad_id + 1)
        self.hash = digest(
            {
                "form": form.text,
                "separator": form.separator,
                "system": system,
                "bos": tokenizer.bos_id,
                "stop": self.stop_ids,
                "pad": self.pad_id,
                "tokenizer": tokenizer.digest,
                "probe": probe,
            }
        )

    def refusal(self, messages: Messages) -> str:
        """Why this conversation cannot be learned from; empty if it can."""
        if is_asking(messages):
            return "the last turn is not the assistant's"
        return self._misshapen(messages)

    def encode(self, batch: Sequence[Messages]) -> list[Encoded]:
        """Ids and learned mask of each conversation, each ending in an answer.

        Raises: TemplateError if one cannot be written in this form.
        """
        for messages in batch:
            _stop_if(self.refusal(messages))
        tokens = self.to_tokens(batch)
        return [tokens.row(number) for number in range(len(batch))]

    def to_tokens(self, batch: Sequence[Messages]) -> Tokens:
        """The same in flat arrays, of conversations that `refusal` let pass."""
        parts = self._form.segments([self._whole(messages) for messages in batch])
        ends = np.concatenate([[0], np.cumsum(parts.counts)])
        return Tokens(
            parts.pool.ids,
            parts.learned.repeat(parts.pool.lengths),
            parts.pool.starts[ends],
        )

    def encode_prompt(self, messages: Messages) -> list[int]:
        """Ids that ask for the last answer: all that precedes it in training.

        An answer that stands at the end already is left out. Raises: TemplateError.
        """
        messages = without_answer(messages)
        _stop_if(self._misshapen(messages))
        found: list[int] = self._form.segments(
            [self._whole(messages)]
        ).pool.ids.tolist()
        return found

    def decode(self, ids: Sequence[int], *, start: bool = False) -> str:
        """The answer that these ids say, when they follow `encode_prompt`. `start`:
        they open a document that has no prompt."""
        if start:
            return self._tokenizer.decode(ids, start=True)
        return self._tokenizer.decode(ids).removeprefix(self._form.separator)

    def render(self, messages: Messages) -> str:
        """The conversation as the model reads it, control tokens by name."""
        if is_asking(messages):
            return self.show(self.encode_prompt(messages))
        return self.show(self.encode([messages])[0].input_ids)

    def show(self, ids: Sequence[int]) -> str:
        """Text of ids, control tokens by name."""
        return self._tokenizer.show(ids)

    def _whole(self, messages: Messages) -> Messages:
        """The conversation with the configured system turn, if it has none."""
        if self._system is None:
            return messages
        at = 1 if messages and messages[0]["role"] == "tools" else 0
        if any(message["role"] == "system" for message in messages[at : at + 1]):
            return messages
        system = Message(role="system", content=self._system)
        return [*messages[:at], system, *messages[at:]]

    def _misshapen(self, messages: Messages) -> str:
        problem = _misshapen(tuple(message["role"] for message in messages))
        if problem or not self._form.reserved:
            return problem
        for message in messages:
            if self._control.search(message["content"]):
                text = next(t for t in self._form.reserved if t in message["content"])
                return f"a {message['role']} turn says the control token {text}"
        return ""


@lru_cache(maxsize=1024)
def _misshapen(roles: tuple[str, ...]) -> str:
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
"""What may follow tools' calls and results."""


def _choose_pad(tokenizer: Tokenizer, stop_ids: list[int], size: int) -> int:
    """The first id that may pad and ends no answer, if possible one that sequences
    have too. The masks are explicit, so any such id will do."""
    for limit in (size, float("inf")):
        for number in tokenizer.pads:
            if number not in stop_ids and number < limit:
                return number
    raise TemplateError(
        "the tokenizer",
        "has no token to pad with but those that end an answer",
        expected="a pad_token that is not the eos_token",
        fix="add one to tokenizer_config.json and tokenizer.json",
    )


def _stop_if(problem: str) -> None:
    if problem:
        raise TemplateError(
            "a conversation",
            problem,
            expected="user and assistant in turn, perhaps after one system turn",
            fix="correct the example",
        )
