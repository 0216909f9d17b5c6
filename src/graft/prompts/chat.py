"""The `chat` form: the model's own chat template, a Jinja text."""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from threading import Lock

import numpy as np

from graft.errors import TemplateError
from graft.prompts.forms import Messages, Segments, is_asking
from graft.prompts.frames import Frames, Piece
from graft.prompts.pools import Pool
from graft.prompts.tokenizers import RustTokenizer
from graft.records import Message

_PROBE = [
    Message(role="user", content="2+2?"),
    Message(role="assistant", content="4."),
    Message(role="user", content="And 3+3?"),
    Message(role="assistant", content="6."),
]
_THOUGHT = "<think>\n3+3\n</think>\n\n6."
_MARKS = re.compile(r"\{%-?\s*generation\s*-?%\}")


# transformers keeps one compiled template a text, whoever asks, and notes marks on it.
_RENDERING = Lock()


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
    Raises: TemplateError if the template cannot be cut so.
    """

    separator = ""

    def __init__(
        self, template: str, names: Mapping[str, str], tokenizer: RustTokenizer
    ) -> None:
        from transformers.utils.chat_template_utils import render_jinja_template

        from graft.prompts.writes import only_writes

        if "strftime_now" in template:
            raise _unusable("writes today's date, so its ids change from day to day")
        self.text = template
        self._lock = _RENDERING
        self._jinja = render_jinja_template
        self._names = dict(names)
        self._tokenizer = tokenizer
        self._marks = bool(_MARKS.search(template))
        control = sorted(tokenizer.control, key=len, reverse=True)
        self._control = re.compile("|".join(map(re.escape, control)) or "(?!)")
        text, spans = self._spans(_PROBE)
        frame = "".join(part for part, learned in self._cut(_PROBE) if not learned)
        # Some models' turn marks are added tokens that no file calls special.
        marks = [token for token in tokenizer.added if token in frame]
        reserved = {*control, *marks}
        self.reserved: Sequence[str] = sorted(reserved, key=len, reverse=True)
        known = only_writes(template, names)
        self._frames = Frames(self._cut, control) if known else None
        apart = self.segments([_PROBE]).pool.ids.tolist()
        if apart != tokenizer.encode([text[: spans[-1][1]]], start=True)[0]:
            raise TemplateError(
                "the tokenizer",
                "encodes a conversation otherwise than its turns one by one",
                expected="no space added after a control token",
                fix="use the model's official tokenizer (model.tokenizer: "
                "mistral-common:v3), or style: pattern",
            )
        if any(not text[:end].endswith(tuple(control)) for _, end in spans):
            raise _unusable(
                "does not end each {% generation %} in the end-of-turn token"
            )

    def segments(self, batch: Sequence[Messages]) -> Segments:
        """Segments of each conversation. Raises: TemplateError if the template
        refuses one, or drops a turn."""
        cut = [self.cut(messages) for messages in batch]
        heads = [pieces[0][0] for pieces in cut]
        tails = [text for pieces in cut for text, _ in pieces[1:]]
        first = self._tokenizer.encode(heads, start=True)
        later = self._tokenizer.encode(tails, start=False)
        counts = np.array([len(pieces) for pieces in cut], np.int64)
        order = len(cut) + np.arange(len(tails))
        order = np.insert(order, np.cumsum(counts - 1) - counts + 1, range(len(cut)))
        return Segments(
            Pool.join([first, later]).take(order),
            np.array([learned for pieces in cut for _, learned in pieces], np.bool_),
            counts,
        )

    def cut(self, messages: Messages) -> list[Piece]:
        """Pieces of text, each with whether it is learned. Raises: as `segments`."""
        framed = self._frames.cut(messages) if self._frames else None
        return list(self._cut(messages)) if framed is None else framed

    def _cut(self, messages: Messages) -> Iterator[Piece]:
        text, spans = self._spans(messages)
        answers = [i for i, m in enumerate(messages) if m["role"] == "assistant"]
        at = 0
        for turn, (start, end) in zip(answers, spans, strict=True):
            yield text[at:start], False
            yield text[start:end], self._is_as_said(text[:end], messages, turn)
            at = end
        if is_asking(messages):
            yield text[at:], False

    def _is_as_said(self, text: str, messages: Messages, turn: int) -> bool:
        """Whether an answer stands as the model says it, when it is the last turn.

        A template may strip the thinking of earlier answers: what is shown of them
        then is read, and not learned, since no model is to say it so.
        """
        if self._keeps_history or turn == len(messages) - 1:
            return True
        return self._render(messages[: turn + 1], ask=False)[0].startswith(text)

    @cached_property
    def _keeps_history(self) -> bool:
        """Seen with an answer that thinks and one that does not."""
        thinking = [*_PROBE[:3], Message(role="assistant", content=_THOUGHT)]
        chats = [[*_PROBE[:2], *_PROBE[2:]], [*thinking, *_PROBE[:2]]]
        try:
            for chat in chats:
                whole = self._render(chat, ask=False)[0]
                for turn in (2, 4):
                    begun = self._render(chat[:turn], ask=False)[0].rstrip()
                    if not whole.startswith(begun):
                        return False
        except TemplateError:
            return False
        return True

    def _spans(self, messages: Messages) -> tuple[str, list[tuple[int, int]]]:
        """The rendered text, and where each answer with its end token stands."""
        asked = is_asking(messages)
        text, marked = self._render(messages, ask=asked)
        if messages and messages[0]["role"] == "system" and not self._keeps_system:
            raise _unusable("drops the system turn")
        for turn, message in enumerate(messages):
            said = message["content"].strip()
            if said not in text and not self._strips_thought(text, messages, turn):
                raise _unusable(f"drops or rewrites a {message['role']} turn")
        answers = [i for i, m in enumerate(messages) if m["role"] == "assistant"]
        if not self._marks:
            return text, [self._span(text, messages, i) for i in answers]
        if len(marked) != len(answers):
            raise _unusable(f"marks {len(marked)} answers where {len(answers)} stand")
        if not asked and text[: marked[-1][0]] != self._asking(messages[: answers[-1]]):
            raise _unusable("opens an answer otherwise than when it asks for one")
        return text, marked

    @staticmethod
    def _strips_thought(text: str, messages: Messages, turn: int) -> bool:
        """Whether an earlier answer is shown without its thinking, and only so."""
        message = messages[turn]
        earlier = message["role"] == "assistant" and turn < len(messages) - 1
        return earlier and _without_thought(message["content"].strip()) in text

    @cached_property
    def _keeps_system(self) -> bool:
        """Seen with a text that no other turn says by chance."""
        mark = "7d1f0c52-sys"
        turns = [Message(role="system", content=mark), *_PROBE[:1]]
        return mark in self._asking(turns)

    def _span(self, text: str, messages: Messages, turn: int) -> tuple[int, int]:
        prompt = self._asking(messages[:turn])
        if not text.startswith(prompt):
            raise _unusable("rewrites earlier turns when another follows")
        end = self._control.search(text, len(prompt))
        said = text[len(prompt) : end.start()] if end else ""
        answer = messages[turn]["content"].strip()
        if turn < len(messages) - 1 and answer not in said:
            answer = _without_thought(answer)
        if end is None or answer not in said:
            raise _unusable("ends an answer with no control token")
        return len(prompt), end.end()

    def _asking(self, messages: Messages) -> str:
        return self._render(messages, ask=True)[0]

    def _render(
        self, messages: Messages, *, ask: bool
    ) -> tuple[str, list[tuple[int, int]]]:
        from jinja2 import TemplateError as JinjaError

        try:
            with self._lock:  # the library notes the marks on the compiled template
                texts, marked = self._jinja(
                    [list(messages)],
                    chat_template=self.text,
                    add_generation_prompt=ask,
                    return_assistant_tokens_mask=self._marks,
                    **self._names,
                )
        except (JinjaError, TypeError) as error:
            raise _unusable(f"refuses this conversation: {error}") from error
        return texts[0], list(marked[0]) if marked else []


def _without_thought(answer: str) -> str:
    return answer.rpartition("</think>")[2].strip()


def _unusable(problem: str) -> TemplateError:
    return TemplateError(
        "the model's chat template",
        problem,
        expected="every turn shown, and a definite start and end of each answer",
        fix="put a corrected template with {% generation %} marks into the model's "
        "chat_template.jinja, or set task.prompt.style: pattern",
    )
