"""The `pattern` format: plain text such as `English: {source}` and a line `French:`."""

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from graft.errors import TemplateError
from graft.prompts.prompt_formats import (
    LossSegments,
    Messages,
    encode_all,
    needs_answer,
    write_each,
)
from graft.prompts.tokenizers import Tokenizer
from graft.records.ragged import RaggedIds

_PLACE = re.compile(r"\{\{(source|system)\}\}")


class _Turn(NamedTuple):
    prompt: str
    answer: str | None
    has_loss: bool


class PatternFormat:
    """{source} is the user's message, {system} the system prompt, which may be empty.

    A turn is prompt + separator and answer + EOS; BOS stands before the first.
    Prompt and answer are encoded separately. So no token spans both, and a prompt has
    the same ids in training and at inference. An answer without a prompt opens the
    document, and has the ids that the tokenizer gives its text alone. The separator is
    one space. There is none after a newline, without a prompt, and where the tokenizer
    adds the space itself.
    """

    reserved: Sequence[str] = ()

    def __init__(self, pattern: str, tokenizer: Tokenizer) -> None:
        if pattern.endswith((" ", "\t")):
            raise TemplateError(
                "prompt.pattern",
                f"{pattern!r} ends in a space",
                expected="no space at the end; one is put before each answer",
                fix="remove the space at the end of the pattern",
            )
        self.text = pattern
        newline = pattern.endswith("\n")
        self.separator = "" if newline or tokenizer.opens_with_space else " "
        self._tokenizer = tokenizer
        # Filled in one pass, so that {system} within a message stays as it is.
        braces = pattern.replace("{", "{{").replace("}", "}}")
        self._fill = _PLACE.sub(r"{\1}", braces).format

    def segments(self, batch: Sequence[Messages]) -> LossSegments:
        """Segments of each conversation. Raises: RefusedChatsError if the pattern has
        no place for a turn."""
        written = write_each(self._turns, batch)
        turns = [turn for turns in written for turn in turns]
        places = [at for at, turn in enumerate(turns) if turn.answer is not None]
        counts = [len(t) + sum(turn.answer is not None for turn in t) for t in written]
        prompt_texts = [turn.prompt for turn in turns]
        answer_texts = [turn.answer for turn in turns if turn.answer is not None]
        marks = [turn.has_loss for turn in turns]
        return self._join(prompt_texts, answer_texts, places, counts, marks)

    def _turns(self, messages: Messages) -> list[_Turn]:
        """The prompts of a conversation, each with its answer if it has one."""
        system, prompt = self._system(messages), ""
        turns = []
        for message in messages:
            role, content = message["role"], message["content"]
            if role == "user":
                prompt = self._fill(source=content, system=system)
            elif role == "assistant":
                answer = (prompt and self.separator) + content
                turns.append(_Turn(prompt, answer, message.get("learn") is not False))
                prompt = ""
            elif role != "system":
                raise TemplateError(
                    "prompt.pattern",
                    f"the conversation has {role}, and no place for it",
                    expected="text by system, user and assistant",
                    fix="set prompt.style: chat for a model whose template knows "
                    "tools, or leave such chats out",
                )
        return [*turns, _Turn(prompt, None, False)] if needs_answer(messages) else turns

    def _system(self, messages: Messages) -> str:
        """The text of the system turn, which can only be the first."""
        if not messages or messages[0]["role"] != "system":
            return ""
        system = messages[0]["content"]
        has_user = any(message["role"] == "user" for message in messages)
        if system and not ("{system}" in self.text and has_user):
            raise TemplateError(
                "prompt.pattern",
                "the conversation has a system turn, and no place for it",
                expected="{system} in the pattern, and a user turn",
                fix="add {system} to prompt.pattern, or drop the system turns",
            )
        return system

    def _join(
        self,
        prompt_texts: list[str],
        answer_texts: list[str],
        places: list[int],
        counts: list[int],
        has_loss: list[bool],
    ) -> LossSegments:
        """Encode all prompts and all answers, and interleave them.

        Each turn has four places: BOS if it is the first of its conversation, the
        prompt, then the answer and EOS if it has an answer.
        """
        opens = np.array([not prompt_texts[place] for place in places], np.bool_)
        bos, eos = self._tokenizer.bos_id, self._tokenizer.eos_id
        ends = RaggedIds.of([[eos if bos is None else bos], [eos]])
        prompts = self._tokenizer.encode(prompt_texts, start=True)
        answers = encode_all(self._tokenizer, answer_texts, opens)
        ragged = RaggedIds.join([prompts, answers, ends])
        turns = np.full((len(prompt_texts), 4), -1, np.int64)
        turns[:, 1] = np.arange(len(prompt_texts))
        turns[places, 2] = len(prompt_texts) + np.arange(len(answer_texts))
        turns[places, 3] = len(ragged) - 1
        lengths = np.zeros((len(prompt_texts), 2), np.int64)  # of prompt, of answer
        lengths[:, 0] = prompts.lengths
        lengths[places, 1] = answers.lengths + 1
        there = np.ones((len(prompt_texts), 2), np.bool_)
        there[:, 1] = turns[:, 3] >= 0
        if bos is not None and counts:
            before = np.cumsum(there.sum(axis=1)) - there.sum(axis=1)
            firsts = np.searchsorted(before, np.cumsum([0, *counts[:-1]]))
            turns[firsts, 0] = len(ragged) - 2
            lengths[firsts, 0] += 1
        ids = ragged.take(turns[turns >= 0]).ids
        return LossSegments(
            RaggedIds(ids, lengths[there]),
            np.stack([np.zeros(len(prompt_texts), np.bool_), has_loss], 1)[there],
            np.array(counts, np.int64),
        )
