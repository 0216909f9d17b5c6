"""Frames: what a chat template writes for a pattern of roles, around the contents."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from graft.errors import TemplateError
from graft.prompts.forms import Messages
from graft.records import PLAIN_ROLES, Message, Role

Piece = tuple[str, bool]

_KEYS = {"role", "content"}
_MARK = re.compile("\ue000([0-9]+)\ue001")  # private use, and no space at the edges
_AT_MOST = 1024  # patterns of roles


class _Part(NamedTuple):
    """A piece with `%s` for each content, which contents these are, and whether it is
    learned."""

    text: str
    turns: slice
    learned: bool


class Frames:
    """Cuts conversations as `cut` does, by one rendering for each pattern of roles.

    Args:
        cut: gives the pieces of a conversation, learned ones at odd places, each with
            whether it is. Its template must do no more with contents than write them.
        control: the tokens of which the first ends an answer, the longest first.
    """

    def __init__(
        self, cut: Callable[[Messages], Iterable[Piece]], control: Sequence[str]
    ) -> None:
        self._cut = cut
        self._control = re.compile("|".join(map(re.escape, control)) or "(?!)")
        self._frame = lru_cache(_AT_MOST)(self._make)
        # Else what follows an answer could make another token of its end.
        search = self._control.search
        self._apart = not any(search(t, 1) or search(t, 0, len(t) - 1) for t in control)

    def cut(self, messages: Sequence[Mapping[str, Any]]) -> list[Piece] | None:
        """The pieces; None where only `cut` itself can tell them."""
        contents = []
        for message in messages:
            said = message["content"]
            if said.__class__ is not str or not said or said != said.strip():
                return None
            if message.keys() != _KEYS:
                return None
            contents.append(said)
        frame = self._frame(tuple(message["role"] for message in messages))
        if frame is None:
            return None
        values = tuple(contents)
        pieces = [(text % values[turns], learned) for text, turns, learned in frame]
        for text, learned in pieces:
            if learned:
                end = self._control.search(text)
                if end is None or end.end() != len(text):
                    return None
        return pieces

    def _make(self, roles: tuple[Role, ...]) -> list[_Part] | None:
        """The frame of conversations of these roles, if they have one."""
        if not self._apart or not PLAIN_ROLES.issuperset(roles):
            return None
        marks = [f"\ue000{number}\ue001" for number in range(len(roles))]
        said = zip(roles, marks, strict=True)
        try:
            pieces = self._cut([Message(role=r, content=c) for r, c in said])
            pieces = list(pieces)
        except TemplateError:
            return None
        frame, seen = [], 0
        for place, (text, learned) in enumerate(pieces):
            first = seen
            literals = _MARK.split(text)
            seen += len(literals) // 2
            if literals[1::2] != [str(turn) for turn in range(first, seen)]:
                return None
            if learned != bool(place % 2):  # whether it is so hangs on the contents
                return None
            text = "%s".join(part.replace("%", "%%") for part in literals[::2])
            frame.append(_Part(text, slice(first, seen), learned))
        return frame if seen == len(roles) else None
