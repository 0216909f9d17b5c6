"""Texts as recognisers read them: digits, blanks and dashes of one sort only."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass


class _Folds(dict[int, str]):
    """What stands for a character: one other, itself, or nothing. Filled when asked."""

    def __missing__(self, code: int) -> str:
        self[code] = fold = _fold(chr(code))
        return fold


def _fold(char: str) -> str:
    category = unicodedata.category(char)
    if category == "Nd":
        return str(unicodedata.decimal(char))
    if category == "Zs" or char == "\t":
        return " "
    if category == "Pd" or char == "\u2212":
        return "-"
    if category == "Cf":  # soft hyphen, zero-width and direction marks
        return ""
    if "\uff01" <= char <= "\uff5e":  # full-width forms of ASCII
        return chr(ord(char) - 0xFEE0)
    return {"\u2018": "'", "\u2019": "'", "\u2024": "."}.get(char, char)


_FOLDS = _Folds()


@dataclass(frozen=True)
class Plain:
    """A folded text, and where each of its characters stands in the original.

    `places` is None where both have the same characters at the same places.
    """

    text: str
    places: Sequence[int] | None

    def original(self, start: int, end: int) -> tuple[int, int]:
        """Start and end in the original of a span of the folded text."""
        if self.places is None:
            return start, end
        return self.places[start], self.places[end - 1] + 1


def fold(text: str) -> Plain:
    """Fold a text; what is not seen goes, everything else keeps its order."""
    if text.isascii():
        return Plain(text.replace("\t", " "), None)
    folded = text.translate(_FOLDS)
    if len(folded) == len(text):
        return Plain(folded, None)
    return Plain(folded, [at for at, char in enumerate(text) if _FOLDS[ord(char)]])
