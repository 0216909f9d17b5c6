"""The guard `block_list`."""

import re
from collections.abc import Sequence
from pathlib import Path

from graft.errors import ConfigError

MOST_SPACE = 8
"""Characters of white space between two words of a phrase, at most."""


class Phrases:
    """Words and phrases to be found as whole words, whatever their case.

    Args:
        phrases: none is blank.
    """

    def __init__(self, phrases: Sequence[str]) -> None:
        gap = rf"\s{{1,{MOST_SPACE}}}"
        words = [gap.join(map(re.escape, phrase.split())) for phrase in phrases]
        self.pattern = re.compile(rf"(?<!\w)(?:{'|'.join(words)})(?!\w)", re.IGNORECASE)
        self.longest = max(
            sum(map(len, words)) + MOST_SPACE * (len(words) - 1)
            for words in map(str.split, phrases)
        )


def read_phrases(path: Path) -> Phrases:
    """The phrases of a file, one a line; blank lines and those with # are left out.

    Raises: ConfigError if it cannot be read, or has none.
    """
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise _unusable(path, str(error)) from error
    phrases = [line for line in lines if line.strip() and not line.startswith("#")]
    if not phrases:
        raise _unusable(path, "it has no phrase")
    return Phrases(phrases)


def _unusable(path: Path, problem: str) -> ConfigError:
    return ConfigError(
        f"serving.guards: block_list, file {path}",
        problem,
        expected="a UTF-8 text with a word or phrase a line",
        fix="write the file, or remove the guard",
    )


class BlockList:
    """Ends a text before the first phrase of a list.

    As much is held back as the longest phrase needs.
    """

    name = "block_list"

    def __init__(self, phrases: Phrases) -> None:
        self._phrases, self.num_actions = phrases, 0
        self._before, self._rest = "", ""  # the last character shown, and what follows

    @property
    def ended(self) -> bool:
        return self.num_actions > 0

    def push(self, text: str) -> str:
        """The text in which no phrase can begin any more."""
        self._rest += text
        # A phrase, and the character that shows that its last word has ended.
        return self._show(len(self._rest) - self._phrases.longest - 1)

    def finish(self) -> str:
        """The rest, up to the first phrase."""
        return self._show(len(self._rest))

    def _show(self, size: int) -> str:
        """The first so many characters, up to the first phrase that begins there."""
        if self.ended or size <= 0:
            return ""
        whole, skipped = self._before + self._rest, len(self._before)
        found = self._phrases.pattern.search(whole, skipped)
        if found and found.start() - skipped < size:
            self.num_actions = 1
            size = found.start() - skipped
        shown, self._rest = self._rest[:size], self._rest[size:]
        self._before = (self._before + shown)[-1:]
        return shown
