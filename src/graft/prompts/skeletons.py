"""Skeletons: what a chat template writes around the contents of a conversation."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import product
from typing import Any, NamedTuple

from jinja2 import TemplateError as JinjaError

from graft.errors import TemplateError
from graft.prompts.prompt_formats import Messages, Piece
from graft.prompts.rendering import EXPRESSION_ERRORS, Renderer
from graft.prompts.symbolic import (
    ContentReadError,
    SymbolicText,
    compile_symbolic,
    text_of,
)
from graft.records import PLAIN_ROLES, THINK_START, Message, Role

_KEYS = {"role", "content"}
_NUM_KEPT = 1024  # sequences of roles
# A filter that changes letters, whitespace or punctuation changes it too.
_PLACEHOLDER = "\ue000aA <\"'\\&>\n%d\ue001"
_PLACEHOLDERS = re.compile(re.escape(_PLACEHOLDER).replace("%d", "([0-9]+)"))


class _Part(NamedTuple):
    """A piece with `%s` in place of the contents of `turns`."""

    text: str
    turns: slice
    has_loss: bool


class _Skeleton(NamedTuple):
    """Parts that hold if every call in `assumed` returns false: (turn, method of its
    content, argument)."""

    parts: list[_Part]
    assumed: set[tuple[int, str, str]]


class Skeletons:
    """Cuts conversations as `cut` does, with one rendering for each sequence of roles.

    Args:
        cut: returns the pieces of a conversation; those at odd indices are answers.
        renderer: what `cut` renders with.
        control: tokens, longest first. The first in an answer ends it.
    """

    def __init__(
        self,
        cut: Callable[[Messages], Iterable[Piece]],
        renderer: Renderer,
        control: Sequence[str],
    ) -> None:
        self._cut = cut
        self._renderer = renderer
        self._symbolic = compile_symbolic(renderer.text)
        self._control = re.compile("|".join(map(re.escape, control)) or "(?!)")
        self._skeleton = lru_cache(_NUM_KEPT)(self._make)
        # Else what follows an answer could make another token of its end.
        search = self._control.search
        self._apart = not any(search(t, 1) or search(t, 0, len(t) - 1) for t in control)

    def cut(self, messages: Sequence[Mapping[str, Any]]) -> list[Piece] | None:
        """The pieces; None if this conversation must be rendered."""
        contents = []
        for message in messages:
            content = message["content"]
            if (
                content.__class__ is not str
                or not content
                or content != content.strip()
            ):
                return None
            if message.keys() != _KEYS or THINK_START in content:
                return None
            contents.append(content)
        skeleton = self._skeleton(tuple(message["role"] for message in messages))
        if skeleton is None:
            return None
        for turn, method, text in skeleton.assumed:
            if getattr(contents[turn], method)(text):
                return None
        values = tuple(contents)
        pieces = [(text % values[turns], loss) for text, turns, loss in skeleton.parts]
        for text, has_loss in pieces:
            if has_loss:
                end = self._control.search(text)
                if end is None or end.end() != len(text):
                    return None
        return pieces

    def _make(self, roles: tuple[Role, ...]) -> _Skeleton | None:
        """The skeleton of conversations of these roles, if they have one."""
        if not self._apart or not PLAIN_ROLES.issuperset(roles):
            return None
        chat = [Message(role=r, content=_PLACEHOLDER % i) for i, r in enumerate(roles)]
        try:
            pieces = list(self._cut(chat))
            assumed = self._assumed(chat)
        except (TemplateError, ContentReadError, JinjaError, *EXPRESSION_ERRORS):
            return None
        parts, seen = [], 0
        for place, (text, has_loss) in enumerate(pieces):
            first = seen
            literals = _PLACEHOLDERS.split(text)
            seen += len(literals) // 2
            if literals[1::2] != [str(turn) for turn in range(first, seen)]:
                return None
            if has_loss != bool(place % 2):  # it may depend on the contents
                return None
            text = "%s".join(part.replace("%", "%%") for part in literals[::2])
            parts.append(_Part(text, slice(first, seen), has_loss))
        return _Skeleton(parts, assumed) if seen == len(roles) else None

    def _assumed(self, chat: Sequence[Message]) -> set[tuple[int, str, str]]:
        """What is assumed of contents in every rendering that `cut` can need.

        Raises: ContentReadError if contents decide one in any other way.
        """
        found: set[tuple[int, str, str]] = set()

        def symbolic(turn: int, content: str) -> SymbolicText:
            return SymbolicText(content, lambda *call: found.add((turn, *call)))

        symbolic_chat = [
            {**m, "content": symbolic(i, m["content"])} for i, m in enumerate(chat)
        ]
        for upto, prompt in product(range(len(chat) + 1), (False, True)):
            try:
                text, _ = self._renderer.render(chat[:upto], None, prompt=prompt)
            except TemplateError:  # then `cut` does without it
                continue
            written = self._symbolic.render(
                messages=symbolic_chat[:upto],
                tools=None,
                documents=None,
                add_generation_prompt=prompt,
                **self._renderer.names,
            )
            if text_of(written) != text:
                raise ContentReadError
        return found
