"""Show texts from data: shortened, folded, and compared word by word."""

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from urllib.parse import urlsplit

from markupsafe import Markup, escape

HEAD, TAIL = 900, 300
"""Characters shown of a longer text; an answer's end often matters as much."""
FOLD = 320
"""Longer texts are folded."""
FOLD_LINES = 8
PREVIEW = 140
ALIKE = 0.4
"""Smallest share of common words for which the others are marked."""


@dataclass(frozen=True)
class Text:
    """A text as markup; `preview` is its beginning if it is to be folded."""

    markup: Markup
    preview: str = ""


def show(text: str, reference: str | None = None) -> Text:
    """A text as markup, with the words marked that differ from `reference`."""
    shown = shorten(text)
    markup = escape(shown)
    if reference is not None and shown != shorten(reference):
        markup = mark_words(shown, shorten(reference))
    if len(shown) <= FOLD and shown.count("\n") < FOLD_LINES:
        return Text(markup)
    return Text(markup, " ".join(shown[:PREVIEW].split()) + "…")


def shorten(text: str) -> str:
    """Beginning and end of a long text, and the number of omitted characters."""
    left_out = len(text) - HEAD - TAIL
    if left_out <= 0:
        return text
    return f"{text[:HEAD]}\n[… {left_out:,} characters left out …]\n{text[-TAIL:]}"


def mark_words(text: str, reference: str) -> Markup:
    """Mark the words that differ; nothing if few are the same."""
    pieces = re.split(r"(\s+)", text)  # words at even indices, white space between
    matcher = SequenceMatcher(None, pieces[::2], reference.split(), autojunk=False)
    if matcher.ratio() < ALIKE:
        return escape(text)
    marked = Markup()
    for tag, first, last, _, _ in matcher.get_opcodes():
        if first == last:
            continue
        run = "".join(pieces[2 * first : 2 * last - 1])
        space = "".join(pieces[2 * last - 1 : 2 * last])
        marked += (
            escape(run) if tag == "equal" else Markup("<mark>{}</mark>").format(run)
        )
        marked += space
    return marked


def is_address(target: str) -> bool:
    """Whether it may be a link; only web addresses are."""
    return urlsplit(target).scheme in ("http", "https")
