"""The `chat` format: the model's own chat template, a Jinja text."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import cached_property

import numpy as np

from graft.errors import TemplateError
from graft.prompts.content_check import (
    ContentCheck,
    contains_answer,
    names_of,
    without_thought,
)
from graft.prompts.prompt_formats import (
    LossSegments,
    Messages,
    Piece,
    encode_all,
    write_each,
)
from graft.prompts.rendering import Renderer, unusable
from graft.prompts.tokenizers import RustTokenizer
from graft.prompts.turns import Turns, to_turns
from graft.records import THINK_END, THINK_START, Message

_PROBE = [
    Message(role="user", content="2+2?"),
    Message(role="assistant", content="4."),
    Message(role="user", content="And 3+3?"),
    Message(role="assistant", content="6."),
]
_THOUGHT = "<think>\n3+3\n</think>\n\n6."
_THINKING = [*_PROBE[:3], Message(role="assistant", content=_THOUGHT)]
_FIRST = "cannot prompt for an answer that opens the chat"


class ChatFormat:
    """Renders a conversation, and cuts the text where an answer begins and ends.

    An answer begins where the generation prompt of the turns before it ends. It ends
    with the first control token after that. `{% generation %}` blocks are answers, and
    the last one is compared with that rule. Each piece is encoded separately, so no
    token spans a cut. What is written after the last answer is left out.

    Args:
        template: the Jinja text.
        names: bos_token, eos_token, …: tokens that the template may write.
        tokenizer: one that encodes control tokens in text as such.
        today: the recorded date, for templates that write a date.
    Raises: TemplateError if the template cannot be cut so.
    """

    separator = ""

    def __init__(
        self,
        template: str,
        names: Mapping[str, str],
        tokenizer: RustTokenizer,
        today: date | None = None,
    ) -> None:
        from graft.prompts.skeletons import Skeletons

        self._renderer = renderer = Renderer(template, names, today)
        self.text = renderer.text
        self._content_check = ContentCheck(renderer)
        self._tokenizer = tokenizer
        control = sorted(tokenizer.control, key=len, reverse=True)
        self._control = re.compile("|".join(map(re.escape, control)) or "(?!)")
        prompt = self._render(to_turns(_PROBE), 3, prompt=True)
        self._opens_thought = prompt.rstrip().endswith(THINK_START)
        chat = _THINKING if self._opens_thought else _PROBE
        probe = to_turns(chat, renderer.thinks_in)
        text, spans = self._spans(probe)
        frame = "".join(part for part, has_loss in self._cut(probe) if not has_loss)
        # Some models' turn markers are added tokens that no file names as special.
        marks = {token for token in tokenizer.added if token in frame}
        reserved = {*control, *(marks - {THINK_START, THINK_END})}
        self.reserved: Sequence[str] = sorted(reserved, key=len, reverse=True)
        self._skeletons = Skeletons(
            lambda chat: self._cut(to_turns(chat)), renderer, control
        )
        apart = self.segments([chat]).ragged.ids.tolist()
        if apart != tokenizer.encode([text[: spans[-1][1]]], start=True)[0]:
            raise TemplateError(
                "the tokenizer",
                "encodes a conversation otherwise than its turns one by one",
                expected="no space added after a control token",
                fix="use the model's official tokenizer (model.tokenizer: "
                "mistral-common:v3), or style: pattern",
            )
        if any(not text[:end].endswith(tuple(control)) for _, end in spans):
            raise unusable("does not end each {% generation %} in its end token")

    def segments(self, batch: Sequence[Messages]) -> LossSegments:
        """Segments of each conversation. Raises: RefusedChatsError if the template
        refuses one, or drops a turn."""
        cut = write_each(self.cut, batch)
        texts = [text for pieces in cut for text, _ in pieces]
        counts = np.array([len(pieces) for pieces in cut], np.int64)
        answers = np.arange(len(texts)) - (np.cumsum(counts) - counts).repeat(counts)
        # An answer continues its prompt; what follows it comes after its end token.
        opens = answers % 2 == 0 if self._tokenizer.opens_anew else answers == 0
        return LossSegments(
            encode_all(self._tokenizer, texts, opens),
            np.array([has_loss for pieces in cut for _, has_loss in pieces], np.bool_),
            counts,
        )

    def cut(self, messages: Messages) -> list[Piece]:
        """Pieces of text, each with whether it carries loss. Raises: TemplateError."""
        turns = to_turns(messages, self._renderer.thinks_in)
        pieces = None
        if turns.tools is None and all(turns.has_loss):
            pieces = self._skeletons.cut(turns.messages)
        return list(self._cut(turns)) if pieces is None else pieces

    def _cut(self, turns: Turns) -> Iterator[Piece]:
        text, spans = self._spans(turns)
        at = 0
        for turn, (start, end), has_loss in zip(
            turns.answers, spans, turns.has_loss, strict=True
        ):
            yield text[at:start], False
            yield text[start:end], (
                has_loss
                and contains_answer(
                    turns.messages[turn], text[start:end], self._renderer.thinks_in
                )
                and self._follows_prompt(text[:start], turns, turn)
                and self._is_written_as_last(text[:end], turns, turn)
            )
            at = end
        if turns.need_answer:
            yield text[at:], False

    def _follows_prompt(self, prompt: str, turns: Turns, turn: int) -> bool:
        """Whether the prompt of an answer is the same at inference."""
        return not self._opens_thought or prompt == self._render(
            turns, turn, prompt=True
        )

    def _is_written_as_last(self, text: str, turns: Turns, turn: int) -> bool:
        """Whether an answer is written as it is when it is the last turn.

        A template may strip the reasoning of earlier answers. What is left of them
        carries no loss, since the model is not to generate it so.
        """
        plain = not turns.tools and not turns.messages[turn].get("tool_calls")
        if (plain and self._keeps_history) or turn == len(turns.messages) - 1:
            return True
        return self._render(turns, turn + 1).startswith(text)

    @cached_property
    def _keeps_history(self) -> bool:
        """Whether earlier answers are written in full, with reasoning and without."""
        try:
            for chat in (_PROBE, [*_THINKING, *_PROBE[:2]]):
                turns = to_turns(chat, self._renderer.thinks_in)
                whole = self._render(turns, len(chat))
                begun = [self._render(turns, turn).rstrip() for turn in (2, 4)]
                if not all(map(whole.startswith, begun)):
                    return False
        except TemplateError:
            return False
        return True

    def _spans(self, turns: Turns) -> tuple[str, list[tuple[int, int]]]:
        """The rendered text, and the span of each answer with its end token."""
        renderer = self._renderer
        text, marked = renderer.render(
            turns.messages, turns.tools, prompt=turns.need_answer
        )
        self._content_check.check(text, turns)
        answers = turns.answers
        if not renderer.marks:
            return text, [self._span(text, turns, i) for i in answers]
        if len(marked) != len(answers):
            raise unusable(f"marks {len(marked)} answers where {len(answers)} stand")
        if not turns.need_answer:
            if text[: marked[-1][0]] != self._render(turns, answers[-1], prompt=True):
                raise unusable("opens an answer otherwise than its generation prompt")
        return text, marked

    def _span(self, text: str, turns: Turns, place: int) -> tuple[int, int]:
        turn, prompt = turns.messages[place], self._prompt(text, turns, place)
        start = len(prompt)
        found = self._control.search(text, start)
        end = found.end() if found else start
        answer = turn["content"].strip()
        if prompt.rstrip().endswith(THINK_START):
            answer = answer.removeprefix(THINK_START).strip()
        if place < len(turns.messages) - 1 and answer not in text[start:end]:
            answer = without_thought(answer)
        values = (answer, *names_of(turn))
        if turn.get("tool_calls") or not _hold(text[start:end], values):
            end = self._last_end(text, turns, place, start)
        if end == start or not _hold(text[start:end], values):
            raise unusable("ends an answer with no control token")
        if not (place or text[start:end].lstrip().startswith(answer)):
            if text[:start] == self._render(turns, 0):
                raise unusable(_FIRST)
        return start, end

    def _prompt(self, text: str, turns: Turns, place: int) -> str:
        """The part of the text that is the prompt of an answer."""
        try:
            prompt = self._render(turns, place, prompt=True)
        except TemplateError as error:
            if place:
                raise
            raise unusable(_FIRST) from error
        if text.startswith(prompt):
            return prompt
        if not place:
            raise unusable(_FIRST)
        if place == len(turns.messages) - 1:
            raise unusable("opens an answer otherwise than its generation prompt")
        # A reasoning block that opens each answer may be stripped in earlier turns.
        prompt = prompt.rstrip().removesuffix(THINK_START)
        if not text.startswith(prompt):
            raise unusable("rewrites earlier turns when another follows")
        return prompt

    def _last_end(self, text: str, turns: Turns, place: int, start: int) -> int:
        """The end of the last control token of an answer, which contains some, such as
        those of tool calls; `start` if there is none."""
        whole = self._render(turns, place + 1)
        ends = [found.end() for found in self._control.finditer(whole, start)]
        if not ends or text.startswith(whole[: ends[-1]]):
            return ends[-1] if ends else start
        # The same without reasoning, which is stripped where another turn follows.
        shown = [found.end() for found in self._control.finditer(text, start)]
        end = shown[: len(ends)][-1] if shown else start
        if end == start or not whole[: ends[-1]].endswith(text[start:end]):
            raise unusable("ends an answer otherwise when another turn follows")
        return end

    def _render(self, turns: Turns, upto: int, *, prompt: bool = False) -> str:
        messages = turns.messages[:upto]
        return self._renderer.render(messages, turns.tools, prompt=prompt)[0]


def _hold(text: str, values: Sequence[str]) -> bool:
    return all(value in text for value in values)
