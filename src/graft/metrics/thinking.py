"""Thinking that stands before an answer, between <think> and </think>."""

OPEN, CLOSE = "<think>", "</think>"


def after_thinking(text: str) -> str:
    """What follows the last thinking block; a text without one, whole."""
    return text.rpartition(CLOSE)[2]
