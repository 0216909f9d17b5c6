"""Texts as recognisers read them, with one kind of digits, spaces and dashes."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass


class _Folds(dict[int, str]):
    """Character → another one, itself, or nothing. Filled on demand."""

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
class FoldedText:
    """A folded text, and the position of each of its characters in the original.

    `places` is None if the positions are the same.
    """

    text: str
    places: Sequence[int] | None

    def original(self, start: int, end: int) -> tuple[int, int]:
        """Start and end in the original of a span of the folded text."""
        if self.places is None:
            return start, end
        return self.places[start], self.places[end - 1] + 1


def fold(text: str) -> FoldedText:
    """Fold a text; invisible characters are removed, the order stays."""
    if text.isascii():
        return FoldedText(text.replace("\t", " "), None)
    folded = text.translate(_FOLDS)
    if len(folded) == len(text):
        return FoldedText(folded, None)
    return FoldedText(folded, [at for at, char in enumerate(text) if _FOLDS[ord(char)]])
