"""Thinking before an answer, between <think> and </think>."""

OPEN, CLOSE = "<think>", "</think>"


def after_thinking(text: str) -> str:
    """The text after the last thinking block; all of it if there is none."""
    return text.rpartition(CLOSE)[2]
