"""Borderline findings as lines for a reviewer, and the reviewer's decisions."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from graft.config.pii import Kind
from graft.errors import DataError

Decisions = Mapping[str, bool]
"""By key: true for personal data, false for anything else."""

_ANSWERS = {
    **dict.fromkeys(("yes", "y", "true", "oui", "o", "vrai"), True),
    **dict.fromkeys(("no", "n", "false", "non", "faux"), False),
}


@dataclass(frozen=True, slots=True)
class ReviewLine:
    """A finding that a reviewer should decide on. `key` is the same in every run."""

    key: str
    id: str
    kind: Kind
    text: str
    context: str
    why: str


def to_key(kind: Kind, text: str, example: str) -> str:
    """Key of a finding with a folded text, in the example of an id: 16 hexadecimal
    digits, independent of spaces and separators."""
    spelt = re.sub(r"[^\w@+]", "", text).casefold()
    whole = "\x1f".join((kind, spelt, example))
    return hashlib.sha256(whole.encode()).hexdigest()[:16]


def to_decisions(
    lines: Iterable[tuple[str, Mapping[str, object]]],
) -> dict[str, bool]:
    """Decisions of a review file, or of a file of stored decisions.

    Args:
        lines: each with its place, for errors; of `key` and `decision` (yes, no, true,
            false, or empty for open).
    Returns: the decisions that are not open, by key.
    Raises: DataError if a line has no key or an unknown decision, or contradicts an
        earlier one.
    """
    decided: dict[str, bool] = {}
    for place, line in lines:
        key = str(line.get("key") or "").strip().lower()
        word = str("" if line.get("decision") is None else line["decision"]).strip()
        if not re.fullmatch("[0-9a-f]{16}", key):
            raise DataError(
                place,
                f"key is {key!r}",
                expected="16 hexadecimal digits, as the review file gives them",
                fix="leave column key as it is; fill in column decision only",
            )
        if not word:
            continue
        if word.lower() not in _ANSWERS:
            raise DataError(
                place,
                f"decision is {word!r}",
                expected="yes (it is personal data), no, or nothing",
                fix="correct the cell, or empty it",
            )
        answer = _ANSWERS[word.lower()]
        if decided.setdefault(key, answer) != answer:
            raise DataError(
                place,
                f"{key} has a different decision in an earlier line",
                expected="one decision for each key",
                fix="keep one of the two",
            )
    return decided
