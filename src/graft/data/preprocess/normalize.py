"""Repairs of encoding, markup and white space that leave the content unchanged.

Each repair is a pure function from a column of texts to a column of the same length, of
any size. They run in the order of `repairs`.
"""

from collections.abc import Callable

import ftfy
import polars as pl

from graft.config import PreprocessConfig
from graft.data.preprocess.markup import ENTITY, strip_markup
from graft.data.preprocess.mojibake import MAY_BE_MOJIBAKE, MOJIBAKE

Repair = Callable[[pl.Series], pl.Series]

# C0 and C1 controls except tab, line ends and white space; zero-width space and
# no-break, direction marks, byte order mark, soft hyphen. The joiners U+200C and U+200D
# stay: Persian, Hindi and emoji need them.
_CONTROL = (
    "[\x00-\x08\x0e-\x1f\x7f-\u009f\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060\ufeff]"
)

# Characters that a repair other than that of mojibake could change; most texts have
# none and skip the repairs. U+0300 is the first character that NFC may change; dashes,
# quotes and currency signs after it never change, and are frequent in French.
_COMPOSABLE = "\u0300-\u200f\u2028-\u202f\u205f-\u209f\u20c1-\U0010ffff"
_ANY = rf"[<&\x00-\x09\x0b-\x1f\x7f-\u00a0\u00ad{_COMPOSABLE}]" r"|^\s|\s$|\s\s"
_ODD_BLANKS = r"[^\S\n ]|^\s|\s$|\s\s"


def are_suspect(texts: pl.Series) -> pl.Series:
    """Whether a repair could change a text; false is certain. Shape [texts]."""
    suspect = texts.str.contains(f"{_ANY}|{MAY_BE_MOJIBAKE}")
    places = suspect.arg_true()
    some = texts.gather(places)
    sure = some.str.contains(_ANY) | some.str.contains(MOJIBAKE)
    return suspect.scatter(places, sure)


def repairs(config: PreprocessConfig, technical: bool = False) -> dict[str, Repair]:
    """The configured repairs by name, in the order to run them. `technical`: for
    conversations that are code or about code, whose tags and white space are content.
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
    """Decode text again that was decoded with the wrong encoding."""
    return _where(texts, MOJIBAKE, _each(ftfy.fix_encoding))


def strip_html(texts: pl.Series) -> pl.Series:
    """Remove HTML tags and entities from texts that are not technical."""
    return _where(texts, rf"</?[A-Za-z]|{ENTITY}", _each(strip_markup))


def strip_thinking(texts: pl.Series) -> pl.Series:
    """Remove `<think>` blocks before an answer; a block without an end stays."""
    return texts.str.replace_all(r"(?s)<think>.*?</think>\s*", "")


def compose(texts: pl.Series) -> pl.Series:
    """Unicode normalization form C: a letter and its accent as one character."""
    return _where(texts, f"[{_COMPOSABLE}]", lambda some: some.str.normalize("NFC"))


def strip_controls(texts: pl.Series) -> pl.Series:
    """Remove invisible characters."""
    return texts.str.replace_all(_CONTROL, "")


def collapse_blanks(texts: pl.Series) -> pl.Series:
    """Replace runs of white space inside a line by one space, and keep at most one
    empty line. Indentation after the first line stays, since code needs it; so do
    single tabs, which separate the columns of a table."""
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
    """Unify line ends; remove blank lines at both ends, and white space at the end."""
    return (
        _with_line_ends(texts)
        .str.replace(r"^(?:[^\S\n]*\n)+", "")
        .str.strip_chars_end()
    )


def _with_line_ends(texts: pl.Series) -> pl.Series:
    return texts.str.replace_all("\r\n?|[\u2028\u2029]", "\n")


def _where(texts: pl.Series, pattern: str, change: Repair) -> pl.Series:
    """Change only the texts in which the pattern matches."""
    places = texts.str.contains(pattern).arg_true()
    if places.is_empty():
        return texts
    # scatter works in place: the clone keeps the caller's column as it was
    return texts.clone().scatter(places, change(texts.gather(places)))


def _each(change: Callable[[str], str]) -> Repair:
    return lambda texts: pl.Series([change(text) for text in texts], dtype=pl.String)
