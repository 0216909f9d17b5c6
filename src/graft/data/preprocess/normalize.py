"""Repairs of text: what is said stays, how it is written becomes regular.

Each repair is a pure function from a column of texts to a column of the same length,
and they run in the order of `repairs`. The same function runs on a batch of any size.
"""

from collections.abc import Callable

import ftfy
import polars as pl

from graft.config import PreprocessConfig
from graft.data.preprocess.markup import ENTITY, strip_markup
from graft.data.preprocess.mojibake import MAY_BE_MOJIBAKE, MOJIBAKE

Repair = Callable[[pl.Series], pl.Series]

# C0 and C1 controls but tab, line ends and those that count as blanks; zero-width
# space and no-break, direction marks, byte order mark, soft hyphen. The joiners
# U+200C and U+200D stay: Persian, Hindi and emoji are spelt with them.
_CONTROL = (
    "[\x00-\x08\x0e-\x1f\x7f-\u009f\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060\ufeff]"
)

# What a repair beside that of mojibake could change; all other text, most of it, is
# left alone at once. U+0300 is the first character that NFC may change; dashes, quotes
# and signs of currency after it are safe, and French is full of them.
_COMPOSABLE = "\u0300-\u200f\u2028-\u202f\u205f-\u209f\u20c1-\U0010ffff"
_ANY = rf"[<&\x00-\x09\x0b-\x1f\x7f-\u00a0\u00ad{_COMPOSABLE}]" r"|^\s|\s$|\s\s"
_ODD_BLANKS = r"[^\S\n ]|^\s|\s$|\s\s"


def are_suspect(texts: pl.Series) -> pl.Series:
    """Whether a repair could change a text; false is sure. Shape [texts]."""
    suspect = texts.str.contains(f"{_ANY}|{MAY_BE_MOJIBAKE}")
    places = suspect.arg_true()
    some = texts.gather(places)
    sure = some.str.contains(_ANY) | some.str.contains(MOJIBAKE)
    return suspect.scatter(places, sure)


def repairs(config: PreprocessConfig, technical: bool = False) -> dict[str, Repair]:
    """The repairs that are asked for, by name, in the order to run them.

    Args:
        technical: for conversations that are code or speak of it: tags, entities and
            blanks mean something there.
    """
    chosen: dict[str, Repair] = {}
    if config.strip_html and not technical:
        chosen["html"] = strip_html
    if config.repair_unicode:
        chosen["mojibake"] = repair_mojibake
        chosen["unicode form"] = compose
    if config.thinking == "strip":
        chosen["thinking"] = strip_thinking
    chosen["control characters"] = strip_controls
    chosen["whitespace"] = trim if technical else collapse_blanks
    return chosen


def repair_mojibake(texts: pl.Series) -> pl.Series:
    """Text that was decoded in a wrong encoding, decoded in the right one."""
    return _map_at(texts, texts.str.contains(MOJIBAKE).arg_true(), ftfy.fix_encoding)


def strip_html(texts: pl.Series) -> pl.Series:
    """Tags and entities that a page left in texts that are not technical."""
    marked = texts.str.contains(rf"</?[A-Za-z]|{ENTITY}")
    return _map_at(texts, marked.arg_true(), strip_markup)


def strip_thinking(texts: pl.Series) -> pl.Series:
    """Without what an answer thinks before it says; an open block stays."""
    return texts.str.replace_all(r"(?s)<think>.*?</think>\s*", "")


def compose(texts: pl.Series) -> pl.Series:
    """Unicode normal form C: a letter and its accent as one character."""
    return _where(texts, f"[{_COMPOSABLE}]", lambda some: some.str.normalize("NFC"))


def strip_controls(texts: pl.Series) -> pl.Series:
    """Without characters that are not seen."""
    return texts.str.replace_all(_CONTROL, "")


def collapse_blanks(texts: pl.Series) -> pl.Series:
    """Runs of blanks inside a line become one space, as do no-break spaces; at most
    one line stays empty. Indentation of a text's later lines stays: code needs it; and
    so do tabs alone, which part the columns of a table."""
    return _where(texts, _ODD_BLANKS, _collapse)


def _collapse(texts: pl.Series) -> pl.Series:
    return (
        _with_line_ends(texts)
        .str.replace_all(r"(\S)\t*[^\S\n\t][^\S\n]*", "$1 ")
        .str.replace_all(r"[^\S\n]+\n", "\n")
        .str.replace_all(r"\n{3,}", "\n\n")
        .str.strip_chars()
    )


def trim(texts: pl.Series) -> pl.Series:
    """Line ends become one kind; blank lines at both ends go, and blanks at the end."""
    return (
        _with_line_ends(texts)
        .str.replace(r"^(?:[^\S\n]*\n)+", "")
        .str.strip_chars_end()
    )


def _with_line_ends(texts: pl.Series) -> pl.Series:
    return texts.str.replace_all("\r\n?|[\u2028\u2029]", "\n")


def _where(texts: pl.Series, pattern: str, change: Repair) -> pl.Series:
    """Change the texts in which the pattern is found, which no other needs."""
    places = texts.str.contains(pattern).arg_true()
    if places.is_empty():
        return texts
    return texts.clone().scatter(places, change(texts.gather(places)))


def _map_at(
    texts: pl.Series, places: pl.Series, change: Callable[[str], str]
) -> pl.Series:
    """Call a Python function on the texts at these places only."""
    if places.is_empty():
        return texts
    # scatter works in place: the clone keeps the caller's column as it was
    return texts.clone().scatter(
        places, [change(text) for text in texts.gather(places)]
    )
