"""What a guard is, and several of them over the text of one completion."""

from collections.abc import Callable, Sequence
from typing import Protocol


class Guard(Protocol):
    """Removes something from a text that arrives in parts.

    What all calls return, joined, must not depend on how the text was divided.
    """

    @property
    def name(self) -> str:
        """As in the configuration."""

    @property
    def num_actions(self) -> int:
        """How often it has changed the text."""

    @property
    def ended(self) -> bool:
        """Whether it has ended the text."""

    def push(self, text: str) -> str:
        """The text that has become certain with this part; often empty."""

    def finish(self) -> str:
        """The rest, when no part follows. To be called once."""


Guards = Sequence[Callable[[], Guard]]
"""Make the guards of a completion, in their order."""


class GuardedText:
    """A text that passes through guards, one after the other.

    Attributes:
        ended: whether a guard has ended the text; later parts add nothing.
    """

    def __init__(self, guards: Guards) -> None:
        self._guards = [make() for make in guards]
        self.ended = False

    @property
    def actions(self) -> dict[str, int]:
        """How often each guard has acted, without those that have not."""
        return {one.name: one.num_actions for one in self._guards if one.num_actions}

    def push(self, text: str, *, final: bool = False) -> str:
        """The text that has become certain; with `final`, no part follows."""
        if self.ended:
            return ""
        for guard in self._guards:
            text = guard.push(text)
            if final or self.ended:  # the text ended before this guard
                text += "" if guard.ended else guard.finish()
            self.ended |= guard.ended
        self.ended |= final
        return text
