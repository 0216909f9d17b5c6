"""Repairs of text: what is said stays, how it is written becomes regular.

Each repair is a pure function from a column of texts to a column of the same length,
and they run in the order of `repairs`. The same function runs on a batch of any size.
"""

import html
from collections.abc import Callable

import ftfy
import polars as pl

from graft.config import PreprocessConfig

Repair = Callable[[pl.Series], pl.Series]

# What UTF-8 looks like, read in a Western, Central European, Cyrillic or DOS code
# page: a lead byte's letter before a continuation byte's sign; or C1 controls. Only
# such text goes to ftfy, which decides: a call takes 10 µs, this filter 0.1 µs.
_CONTINUATION = (
    "\u0080-\u00bf\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc"
    "\u2013\u2014\u2018-\u201e\u2020-\u2022\u2026\u2030\u2039\u203a\u20ac\u2122"
)
_SUSPECT = (
    "[\u00c2-\u00f4\u0102\u0103\u010e-\u0110\u0139\u013a\u0143\u0412\u0413\u0420\u0421"
    f"\u0434-\u0439][{_CONTINUATION}]"
    "|[\u0080-\u009f\u00c3\u0393\u03a3\u221a\u251c\u252c\u2564\u2568]"
)

_INLINE = (
    "a|abbr|b|big|cite|code|del|em|font|i|img|ins|kbd|mark|q|s|small|span|strike|strong"
    "|sub|sup|tt|u|wbr"
)
_BLOCK = (
    "address|article|aside|blockquote|body|br|button|caption|center|dd|div|dl|dt"
    "|fieldset|figcaption|figure|footer|form|h[1-6]|head|header|hr|html|iframe|input"
    "|label|li|link|main|meta|nav|ol|option|p|pre|section|select|table|tbody|td|tfoot"
    "|th|thead|tr|ul"
)
# Known names, alone or with attributes: neither `a <b and c> d` in prose nor
# `<<3*4=12>>` in sums is a tag.
_REST = r"(?:\s+[\w:-]+\s*=[^<>]*)?\s*/?>"
_INLINE_TAG = rf"(?i)</?(?:{_INLINE}){_REST}"
_BLOCK_TAG = (
    r"(?is)<(?:script|style)\b.*?</(?:script|style)>|<!--.*?-->"
    rf"|</?(?:{_BLOCK}){_REST}"
)
_ENTITY = r"&(?:#\d+|#[xX][0-9a-fA-F]+|[A-Za-z]\w*);"

# C0 and C1 controls but tab, line ends and those that count as blanks; zero-width
# space and no-break, direction marks, byte order mark, soft hyphen. The joiners
# U+200C and U+200D stay: Persian, Hindi and emoji are spelt with them.
_CONTROL = (
    "[\x00-\x08\x0e-\x1f\x7f-\u009f\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060\ufeff]"
)

# What any repair could change; all other text, most of it, is left alone at once.
# U+0300 is the first character that NFC may change; dashes, quotes and signs of
# currency after it are safe, and French is full of them.
_ANY = (
    rf"{_SUSPECT}|[<&\x00-\x09\x0b-\x1f\x7f-\u00a0\u00ad]"
    "|[\u0300-\u200f\u2028-\u202f\u205f-\u209f\u20c1-\U0010ffff]"
    r"|^\s|\s$|\s\s"
)


def are_suspect(texts: pl.Series) -> pl.Series:
    """Whether a repair could change a text; false is sure. Shape [texts]."""
    return texts.str.contains(_ANY)


def repairs(config: PreprocessConfig) -> dict[str, Repair]:
    """The repairs that are asked for, by name, in the order to run them."""
    chosen: dict[str, Repair] = {}
    if config.repair_unicode:
        chosen["mojibake"] = repair_mojibake
    if config.strip_html:
        chosen["html"] = strip_html
    if config.repair_unicode:
        chosen["unicode form"] = compose
    if config.thinking == "strip":
        chosen["thinking"] = strip_thinking
    chosen["control characters"] = strip_controls
    chosen["whitespace"] = collapse_blanks
    return chosen


def repair_mojibake(texts: pl.Series) -> pl.Series:
    """Text that was decoded in a wrong encoding, decoded in the right one."""
    return _map_where(texts, texts.str.contains(_SUSPECT), ftfy.fix_encoding)


def strip_html(texts: pl.Series) -> pl.Series:
    """Tags go, a blank takes the place of those that end a line; then entities are
    resolved once, so that text about HTML (`&lt;b&gt;`) stays text."""
    plain = texts.str.replace_all(_BLOCK_TAG, " ").str.replace_all(_INLINE_TAG, "")
    return _map_where(plain, plain.str.contains(_ENTITY), html.unescape)


def strip_thinking(texts: pl.Series) -> pl.Series:
    """Without what an answer thinks before it says; an open block stays."""
    return texts.str.replace_all(r"(?s)<think>.*?</think>\s*", "")


def compose(texts: pl.Series) -> pl.Series:
    """Unicode normal form C: a letter and its accent as one character."""
    return texts.str.normalize("NFC")


def strip_controls(texts: pl.Series) -> pl.Series:
    """Without characters that are not seen."""
    return texts.str.replace_all(_CONTROL, "")


def collapse_blanks(texts: pl.Series) -> pl.Series:
    """Runs of blanks inside a line become one space, as do no-break spaces; at most
    one line stays empty. Indentation of a text's later lines stays: code needs it."""
    return (
        texts.str.replace_all("\r\n?|[\u2028\u2029]", "\n")
        .str.replace_all(r"(\S)[^\S\n]+", "$1 ")
        .str.replace_all(r"[^\S\n]+\n", "\n")
        .str.replace_all(r"\n{3,}", "\n\n")
        .str.strip_chars()
    )


def _map_where(
    texts: pl.Series, chosen: pl.Series, change: Callable[[str], str]
) -> pl.Series:
    """Call a Python function on the chosen texts only."""
    if not chosen.any():
        return texts
    places = chosen.arg_true()
    # scatter works in place: the clone keeps the caller's column as it was
    return texts.clone().scatter(
        places, [change(text) for text in texts.gather(places)]
    )
