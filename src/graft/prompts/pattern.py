"""The `pattern` form: plain text such as `English: {source}` and a line `French:`."""

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from graft.errors import TemplateError
from graft.prompts.forms import Messages, Segments, is_asking, write_each
from graft.prompts.pools import Pool
from graft.prompts.tokenizers import Tokenizer

_PLACE = re.compile(r"\{\{(source|system)\}\}")


class _Turn(NamedTuple):
    prompt: str
    answer: str | None
    learned: bool


class PatternForm:
    """{source} is the user's message, {system} the system turn, perhaps empty.

    A turn is prompt + separator and answer + EOS; BOS stands before the first.
    Prompt and answer are encoded apart, so no token spans both, and what the model is
    asked with is exactly what it was trained on. An answer without a prompt opens the
    document, and has the ids that the tokenizer gives its text alone. The separator is
    one space; none
    after a newline, where there is no prompt, or where the tokenizer adds it itself.
    """

    reserved: Sequence[str] = ()

    def __init__(self, pattern: str, tokenizer: Tokenizer) -> None:
        if pattern.endswith((" ", "\t")):
            raise TemplateError(
                "task.prompt.pattern",
                f"{pattern!r} ends in a space",
                expected="no space at the end; one is put before each answer",
                fix="remove the space at the end of the pattern",
            )
        self.text = pattern
        newline = pattern.endswith("\n")
        self.separator = "" if newline or tokenizer.opens_with_space else " "
        self._tokenizer = tokenizer
        # One pass fills it: a message that itself says {system} stays as it is.
        braces = pattern.replace("{", "{{").replace("}", "}}")
        self._fill = _PLACE.sub(r"{\1}", braces).format

    def segments(self, batch: Sequence[Messages]) -> Segments:
        """Segments of each conversation. Raises: TemplateError if a system turn has
        no place in the pattern."""
        written = write_each(self._turns, batch)
        turns = [turn for turns in written for turn in turns]
        places = [at for at, turn in enumerate(turns) if turn.answer is not None]
        counts = [len(t) + sum(turn.answer is not None for turn in t) for t in written]
        asked = [turn.prompt for turn in turns]
        said = [turn.answer for turn in turns if turn.answer is not None]
        marks = [turn.learned for turn in turns]
        return self._join(asked, said, places, counts, marks)

    def _turns(self, messages: Messages) -> list[_Turn]:
        """A conversation's prompts, each with its answer if there is one."""
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
                    "task.prompt.pattern",
                    f"the conversation has {role}, and no place for it",
                    expected="text by system, user and assistant",
                    fix="set task.prompt.style: chat for a model whose template knows "
                    "tools, or leave such chats out",
                )
        return [*turns, _Turn(prompt, None, False)] if is_asking(messages) else turns

    def _system(self, messages: Messages) -> str:
        """The system turn; it can only be the first."""
        if not messages or messages[0]["role"] != "system":
            return ""
        system = messages[0]["content"]
        asks = any(message["role"] == "user" for message in messages)
        if system and not ("{system}" in self.text and asks):
            raise TemplateError(
                "task.prompt.pattern",
                "the conversation has a system turn, and no place for it",
                expected="{system} in the pattern, and a user turn",
                fix="add {system} to task.prompt.pattern, or drop the system turns",
            )
        return system

    def _join(
        self,
        asked: list[str],
        said: list[str],
        places: list[int],
        counts: list[int],
        learned: list[bool],
    ) -> Segments:
        """Encode all prompts and all answers, and put them in turn.

        Each turn has four places: BOS if it is a conversation's first, the prompt, the
        answer and EOS if there is one.
        """
        opens = np.array([not asked[place] for place in places], np.bool_)
        bos, eos = self._tokenizer.bos_id, self._tokenizer.eos_id
        ends = Pool.of([[eos if bos is None else bos], [eos]])
        prompts = self._tokenizer.encode(asked, start=True)
        answers = self._answers(said, opens)
        pool = Pool.join([prompts, answers, ends])
        turns = np.full((len(asked), 4), -1, np.int64)
        turns[:, 1] = np.arange(len(asked))
        turns[places, 2] = len(asked) + np.arange(len(said))
        turns[places, 3] = len(pool) - 1
        lengths = np.zeros((len(asked), 2), np.int64)  # of prompt, of answer
        lengths[:, 0] = prompts.lengths
        lengths[places, 1] = answers.lengths + 1
        there = np.ones((len(asked), 2), np.bool_)
        there[:, 1] = turns[:, 3] >= 0
        if bos is not None and counts:
            before = np.cumsum(there.sum(axis=1)) - there.sum(axis=1)
            firsts = np.searchsorted(before, np.cumsum([0, *counts[:-1]]))
            turns[firsts, 0] = len(pool) - 2
            lengths[firsts, 0] += 1
        ids = pool.take(turns[turns >= 0]).ids
        return Segments(
            Pool(ids, lengths[there]),
            np.stack([np.zeros(len(asked), np.bool_), learned], 1)[there],
            np.array(counts, np.int64),
        )

    def _answers(self, said: list[str], opens: npt.NDArray[np.bool_]) -> Pool:
        """Ids of answers, by whether each opens a document. `opens`: [answers]."""
        kinds = [np.flatnonzero(~opens), np.flatnonzero(opens)]
        pools = [
            self._tokenizer.encode([said[at] for at in kind], start=bool(start))
            for start, kind in enumerate(kinds)
        ]
        return Pool.join(pools).take(np.argsort(np.concatenate(kinds)))
