"""What a completion says, computed from its whole text."""

from collections.abc import Sequence


def cut(text: str, stop: Sequence[str]) -> str:
    """Text before the first stop text, without white space around it."""
    ends = [text.index(end) for end in stop if end in text]
    return text[: min(ends, default=None)].strip()
