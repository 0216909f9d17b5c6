"""The `chat` form: the model's own chat template, a Jinja text."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import cached_property

import numpy as np

from graft.errors import TemplateError
from graft.prompts.forms import Messages, Piece, Segments, write_each
from graft.prompts.pools import Pool
from graft.prompts.rendering import Renderer, unusable
from graft.prompts.shown import Shown, is_said, names_of, without_thought
from graft.prompts.tokenizers import RustTokenizer
from graft.prompts.turns import ENDS, OPENS, Turns, to_turns
from graft.records import Message

_PROBE = [
    Message(role="user", content="2+2?"),
    Message(role="assistant", content="4."),
    Message(role="user", content="And 3+3?"),
    Message(role="assistant", content="6."),
]
_THOUGHT = "<think>\n3+3\n</think>\n\n6."
_THINKING = [*_PROBE[:3], Message(role="assistant", content=_THOUGHT)]
_FIRST = "cannot ask for an answer that opens the chat"


class ChatForm:
    """Renders a conversation, and cuts the text where an answer begins and ends.

    An answer begins where the template, given the turns before it and asked for one
    more, ends; it ends with the first control token after that. Where the template
    has `{% generation %}` marks they say it instead, and the last one is held against
    that rule. Each piece is encoded alone, so no token spans a cut. What the template
    writes after the last answer (often a newline) is left out: nothing follows it.

    Args:
        template: the Jinja text.
        names: bos_token, eos_token, …: what the template may write.
        tokenizer: one that reads control tokens.
        today: the recorded date, for templates that write one.
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
        self._shown = Shown(renderer)
        self._tokenizer = tokenizer
        control = sorted(tokenizer.control, key=len, reverse=True)
        self._control = re.compile("|".join(map(re.escape, control)) or "(?!)")
        asked = self._render(to_turns(_PROBE), 3, ask=True)
        self._opens_thought = asked.rstrip().endswith(OPENS)
        chat = _THINKING if self._opens_thought else _PROBE
        probe = to_turns(chat, renderer.thinks_in)
        text, spans = self._spans(probe)
        frame = "".join(part for part, learned in self._cut(probe) if not learned)
        # Some models' turn marks are added tokens that no file calls special.
        marks = [t for t in tokenizer.added if t in frame and t not in (OPENS, ENDS)]
        reserved = {*control, *marks}
        self.reserved: Sequence[str] = sorted(reserved, key=len, reverse=True)
        self._skeletons = Skeletons(self._cut_plain, renderer, control)
        apart = self.segments([chat]).pool.ids.tolist()
        if apart != tokenizer.encode([text[: spans[-1][1]]], start=True)[0]:
            raise TemplateError(
                "the tokenizer",
                "encodes a conversation otherwise than its turns one by one",
                expected="no space added after a control token",
                fix="use the model's official tokenizer (model.tokenizer: "
                "mistral-common:v3), or style: pattern",
            )
        if any(not text[:end].endswith(tuple(control)) for _, end in spans):
            raise unusable(
                "does not end each {% generation %} in the end-of-turn token"
            )

    def segments(self, batch: Sequence[Messages]) -> Segments:
        """Segments of each conversation. Raises: RefusedError if the template refuses
        one, or drops a turn."""
        cut = write_each(self.cut, batch)
        texts = [text for pieces in cut for text, _ in pieces]
        counts = np.array([len(pieces) for pieces in cut], np.int64)
        answers = np.arange(len(texts)) - (np.cumsum(counts) - counts).repeat(counts)
        # An answer goes on from its prompt; what follows an answer, from its end token.
        opens = answers % 2 == 0 if self._tokenizer.opens_anew else answers == 0
        kinds = [np.flatnonzero(~opens), np.flatnonzero(opens)]
        pools = [
            self._tokenizer.encode([texts[at] for at in kind], start=bool(start))
            for start, kind in enumerate(kinds)
        ]
        return Segments(
            Pool.join(pools).take(np.argsort(np.concatenate(kinds))),
            np.array([learned for pieces in cut for _, learned in pieces], np.bool_),
            counts,
        )

    def cut(self, messages: Messages) -> list[Piece]:
        """Pieces of text, each with whether it is learned. Raises: TemplateError."""
        turns = to_turns(messages, self._renderer.thinks_in)
        pieces = None
        if turns.tools is None and all(turns.learned):
            pieces = self._skeletons.cut(turns.said)
        return list(self._cut(turns)) if pieces is None else pieces

    def _cut_plain(self, messages: Messages) -> Iterator[Piece]:
        return self._cut(to_turns(messages))

    def _cut(self, turns: Turns) -> Iterator[Piece]:
        text, spans = self._spans(turns)
        at = 0
        for turn, (start, end), learned in zip(
            turns.answers, spans, turns.learned, strict=True
        ):
            yield text[at:start], False
            yield text[start:end], (
                learned
                and is_said(turns.said[turn], text[start:end], self._renderer.thinks_in)
                and self._is_asked(text[:start], turns, turn)
                and self._is_as_said(text[:end], turns, turn)
            )
            at = end
        if turns.asks:
            yield text[at:], False

    def _is_asked(self, prompt: str, turns: Turns, turn: int) -> bool:
        """Whether a model asked for an answer reads just this before it."""
        return not self._opens_thought or prompt == self._render(turns, turn, ask=True)

    def _is_as_said(self, text: str, turns: Turns, turn: int) -> bool:
        """Whether an answer stands as the model says it, when it is the last turn.

        A template may strip the thinking of earlier answers: what is shown of them
        then is read, and not learned, since no model is to say it so.
        """
        plain = not turns.tools and not turns.said[turn].get("tool_calls")
        if (plain and self._keeps_history) or turn == len(turns.said) - 1:
            return True
        return self._render(turns, turn + 1, ask=False).startswith(text)

    @cached_property
    def _keeps_history(self) -> bool:
        """Seen with an answer that thinks and one that does not."""
        chats = [_PROBE, [*_THINKING, *_PROBE[:2]]]
        try:
            for chat in chats:
                turns = to_turns(chat, self._renderer.thinks_in)
                whole = self._render(turns, len(chat), ask=False)
                for turn in (2, 4):
                    begun = self._render(turns, turn, ask=False).rstrip()
                    if not whole.startswith(begun):
                        return False
        except TemplateError:
            return False
        return True

    def _spans(self, turns: Turns) -> tuple[str, list[tuple[int, int]]]:
        """The rendered text, and where each answer with its end token stands."""
        renderer = self._renderer
        text, marked = renderer.render(turns.said, turns.tools, ask=turns.asks)
        self._shown.check(text, turns)
        answers = turns.answers
        if not renderer.marks:
            return text, [self._span(text, turns, i) for i in answers]
        if len(marked) != len(answers):
            raise unusable(f"marks {len(marked)} answers where {len(answers)} stand")
        if not turns.asks:
            if text[: marked[-1][0]] != self._render(turns, answers[-1], ask=True):
                raise unusable("opens an answer otherwise than when it asks for one")
        return text, marked

    def _span(self, text: str, turns: Turns, place: int) -> tuple[int, int]:
        turn, prompt = turns.said[place], self._prompt(text, turns, place)
        start = len(prompt)
        found = self._control.search(text, start)
        end = found.end() if found else start
        answer = turn["content"].strip()
        if prompt.rstrip().endswith(OPENS):
            answer = answer.removeprefix(OPENS).strip()
        if place < len(turns.said) - 1 and answer not in text[start:end]:
            answer = without_thought(answer)
        values = (answer, *names_of(turn))
        if turn.get("tool_calls") or not _hold(text[start:end], values):
            end = self._last_end(text, turns, place, start)
        if end == start or not _hold(text[start:end], values):
            raise unusable("ends an answer with no control token")
        if not (place or text[start:end].lstrip().startswith(answer)):
            if text[:start] == self._render(turns, 0, ask=False):
                raise unusable(_FIRST)
        return start, end

    def _prompt(self, text: str, turns: Turns, place: int) -> str:
        """What of the text asks for an answer."""
        try:
            prompt = self._render(turns, place, ask=True)
        except TemplateError as error:
            if place:
                raise
            raise unusable(_FIRST) from error
        if text.startswith(prompt):
            return prompt
        if not place:
            raise unusable(_FIRST)
        if place == len(turns.said) - 1:
            raise unusable("opens an answer otherwise than when it asks for one")
        # A thought that opens each answer may be stripped where another turn follows.
        prompt = prompt.rstrip().removesuffix(OPENS)
        if not text.startswith(prompt):
            raise unusable("rewrites earlier turns when another follows")
        return prompt

    def _last_end(self, text: str, turns: Turns, place: int, start: int) -> int:
        """Where an answer ends in which control tokens open something, such as calls
        of tools: with its last one. `start` if there is none."""
        whole = self._render(turns, place + 1, ask=False)
        ends = [found.end() for found in self._control.finditer(whole, start)]
        if not ends or text.startswith(whole[: ends[-1]]):
            return ends[-1] if ends else start
        # The same, less a thought that is stripped where another turn follows.
        shown = [found.end() for found in self._control.finditer(text, start)]
        end = shown[: len(ends)][-1] if shown else start
        if end == start or not whole[: ends[-1]].endswith(text[start:end]):
            raise unusable("ends an answer otherwise when another turn follows")
        return end

    def _render(self, turns: Turns, upto: int, *, ask: bool) -> str:
        return self._renderer.render(turns.said[:upto], turns.tools, ask=ask)[0]


def _hold(said: str, values: Sequence[str]) -> bool:
    return all(value in said for value in values)
