"""The `pattern` form: plain text such as `English: {source}` and a line `French:`."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from graft.errors import TemplateError
from graft.prompts.forms import Messages, Segment, is_asking
from graft.prompts.tokenizers import Tokenizer

_PLACE = re.compile(r"\{(source|system)\}")


class Turn(NamedTuple):
    """A prompt, and the answer with its separator; null: not answered yet."""

    prompt: str
    answer: str | None


class PatternForm:
    """{source} is the user's message, {system} the system turn, perhaps empty.

    A turn is prompt + separator and answer + EOS; BOS stands before the first.
    Prompt and answer are encoded apart, so no token spans both, and what the model is
    asked with is exactly what it was trained on. The separator is one space; none
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

    def segments(self, batch: Sequence[Messages]) -> list[list[Segment]]:
        """Segments of each conversation. Raises: TemplateError if a system turn has
        no place in the pattern."""
        turns = [list(self._turns(messages)) for messages in batch]
        flat = [turn for conversation in turns for turn in conversation]
        prompts = iter(self._tokenizer.encode([t.prompt for t in flat], start=True))
        said = [t.answer for t in flat if t.answer is not None]
        answers = iter(self._tokenizer.encode(said, start=False))
        return [self._join(conversation, prompts, answers) for conversation in turns]

    def _turns(self, messages: Messages) -> Iterator[Turn]:
        system = "".join(m["content"] for m in messages if m["role"] == "system")
        asks = any(message["role"] == "user" for message in messages)
        if system and not ("{system}" in self.text and asks):
            raise TemplateError(
                "task.prompt.pattern",
                "the conversation has a system turn, and no place for it",
                expected="{system} in the pattern, and a user turn",
                fix="add {system} to task.prompt.pattern, or drop the system turns",
            )
        prompt = ""
        for message in messages:
            if message["role"] == "user":
                prompt = self._fill(message["content"], system)
            elif message["role"] == "assistant":
                space = self.separator if prompt else ""
                yield Turn(prompt, space + message["content"])
                prompt = ""
        if is_asking(messages):
            yield Turn(prompt, None)

    def _fill(self, source: str, system: str) -> str:
        """The pattern with its places filled in one pass: a message that itself says
        {system} stays as it is."""
        values = {"source": source, "system": system}
        return _PLACE.sub(lambda place: values[place[1]], self.text)

    def _join(
        self,
        turns: list[Turn],
        prompts: Iterator[list[int]],
        answers: Iterator[list[int]],
    ) -> list[Segment]:
        bos = self._tokenizer.bos_id
        head = [] if bos is None else [bos]
        segments = []
        for turn in turns:
            segments.append(Segment([*head, *next(prompts)], False))
            head = []
            if turn.answer is not None:
                ids = [*next(answers), self._tokenizer.eos_id]
                segments.append(Segment(ids, True))
        return segments
