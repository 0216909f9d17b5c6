"""The guard `personal_data`."""

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from graft.errors import ConfigError

AROUND = 128
"""Characters before and after a block that are searched with it. Personal data and the
words that indicate it are shorter."""
LEAST, MOST = 24, 256
"""Characters of a block: it ends before the first white space after `LEAST`."""
_SPACE = re.compile(r"\s")


class Place(NamedTuple):
    """Characters `start` to `end` of a text are personal data of a kind."""

    kind: str
    start: int
    end: int


Find = Callable[[str], Sequence[Place]]
"""Personal data in a text, in order, without overlaps."""


def recogniser(
    regions: Sequence[str], where: str = "serving.guards: personal_data, regions"
) -> Find:
    """Finds what preprocessing redacts as certain.

    Args:
        where: the key that has the regions.
    Raises: ConfigError if a region has no numbering plan.
    """
    import polars as pl

    from graft.data.preprocess.pii.folding import fold
    from graft.data.preprocess.pii.numbering import known_region
    from graft.data.preprocess.pii.prefilter import names, traits
    from graft.data.preprocess.pii.recognise import recognise

    if unknown := [name for name in regions if not known_region(name)]:
        raise ConfigError(
            where,
            f"no telephone numbering plan for {', '.join(unknown)}",
            expected="country codes of ISO 3166, such as FR, US, GB",
            fix="correct the code, or remove it",
        )

    def find(text: str) -> list[Place]:
        seen = names(traits(pl.Series([text])))[0]
        if not seen:
            return []
        plain = fold(text)
        found = recognise(plain.text, seen, regions)
        return [
            Place(one.kind, *plain.original(one.start, one.end))
            for one in found
            if one.sure
        ]

    return find


class PersonalData:
    """Replaces personal data by the name of its kind.

    A text is read in blocks, each with what surrounds it, and a block is shown when
    nothing more is found that begins in it. Where blocks end depends on the text alone.
    """

    name = "personal_data"
    ended = False

    def __init__(self, find: Find) -> None:
        self._find, self.num_actions = find, 0
        self._shown = self._original = ""  # what precedes the rest
        self._rest = ""
        self._size: int | None = None  # of the block that opens the rest
        self._is_read = False  # after its original surroundings

    def push(self, text: str) -> str:
        """The blocks after which enough text is known."""
        self._rest += text
        return self._take(final=False)

    def finish(self) -> str:
        """The rest."""
        return self._take(final=True)

    def _take(self, *, final: bool) -> str:
        taken = []
        while self._rest:
            if self._size is None:
                self._size = _block(self._rest, final)
            if self._size is None:
                break
            if not final and len(self._rest) < self._size + AROUND:
                break
            if self._redact(self._size):
                continue  # which changes what surrounds other data
            block, self._rest = self._rest[: self._size], self._rest[self._size :]
            taken.append(block)
            self._shown = (self._shown + block)[-AROUND:]
            self._size, self._is_read = None, False
        return "".join(taken)

    def _redact(self, size: int) -> bool:
        """Replace what begins in the block: at first what is found after the original
        text, then what is found after the text that was shown.

        Returns: whether to look again.
        """
        rest, before = self._rest, self._shown if self._is_read else self._original
        parts, end = [], 0
        for kind, start, stop in self._find(before + rest[: size + AROUND]):
            start, stop = max(start - len(before), 0), stop - len(before)
            if start < size and stop > end:
                parts += [rest[end:start], f"[{kind.upper()}]"]
                end = stop
                self.num_actions += 1
        looks_again = bool(parts) or not self._is_read and before != self._shown
        known = size if self._is_read else 0
        original = self._original + rest[known : max(size, end)]
        self._original, self._is_read = original[-AROUND:], True
        self._size = sum(map(len, parts)) + max(0, size - end)
        self._rest = "".join(parts) + rest[end:]
        return looks_again


def _block(text: str, final: bool) -> int | None:
    """Characters of the first block; None: more text is needed."""
    if found := _SPACE.search(text, LEAST, MOST):
        return found.start()
    if len(text) >= MOST:
        return MOST
    return len(text) if final else None
