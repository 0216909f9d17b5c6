"""The differences between two answers, word by word."""

import difflib
import html
import re
from collections.abc import Sequence

_PARTS = re.compile(r"\w+(?:['’]\w+)*|\s+|[^\w\s]")


def to_words(text: str) -> list[str]:
    """Words, spaces and signs; together they are the text."""
    return _PARTS.findall(text)


def mark(text: str, other: str) -> list[tuple[str, bool]]:
    """A text in parts, each with whether the other text lacks it.

    The parts together are the text. A space between two marked words is marked.
    """
    mine, theirs = to_words(text), to_words(other)
    matcher = difflib.SequenceMatcher(None, theirs, mine, autojunk=False)
    parts: list[tuple[str, bool]] = []
    for kind, _, _, start, end in matcher.get_opcodes():
        if start < end:
            parts.append(("".join(mine[start:end]), kind != "equal"))
    return _joined(parts)


def _joined(parts: Sequence[tuple[str, bool]]) -> list[tuple[str, bool]]:
    """Neighbours that are marked alike, as one part."""
    found: list[tuple[str, bool]] = []
    for at, (text, marked) in enumerate(parts):
        between = 0 < at < len(parts) - 1 and text.isspace()
        marked = marked or (between and parts[at - 1][1] and parts[at + 1][1])
        if found and found[-1][1] == marked:
            found[-1] = (found[-1][0] + text, marked)
        else:
            found.append((text, marked))
    return found


def to_html(text: str, other: str | None = None) -> str:
    """A text as HTML.

    Args:
        other: what the other text lacks is marked.
    """
    if other is None:
        return html.escape(text)
    return "".join(
        f"<mark>{html.escape(part)}</mark>" if marked else html.escape(part)
        for part, marked in mark(text, other)
    )
