"""The guard `max_chars`."""


class MaxChars:
    """Ends a text after so many characters."""

    name = "max_chars"

    def __init__(self, limit: int) -> None:
        self._left, self.num_actions = limit, 0

    @property
    def ended(self) -> bool:
        return self.num_actions > 0

    def push(self, text: str) -> str:
        """The text, up to the limit."""
        shown = text[: self._left]
        self._left -= len(shown)
        self.num_actions += len(shown) < len(text) and not self.ended
        return shown

    def finish(self) -> str:
        """Nothing: no text is held back."""
        return ""
