"""A planted row of `seeded_defects.py`, and its expected outcome."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Row = dict[str, Any]
LONGEST = 3000
"""Maximal characters of a message."""


@dataclass(frozen=True)
class Known:
    """Other texts that a kind may use.

    Args:
        train, held_out: clean rows of the file.
        book: a long clean text in both languages.
        benchmark: a text of a benchmark's file.
    """

    train: Row
    held_out: Row
    book: tuple[str, str]
    benchmark: str


@dataclass(frozen=True)
class Planted:
    """A line of the file, with the stage and reason that reject it, or the expected
    row after the repair."""

    line: bytes
    outcome: tuple[str, str] | None = None
    repaired: Row | None = None


Make = Callable[[Row, int, Known], Planted]
"""Makes the nth row of a kind from a clean one that is not in the file."""


def rejected(
    stage: str, reason: str, change: Callable[[Row, int, Known], Row | bytes]
) -> Make:
    """A kind that a stage rejects; `reason`: how the reason begins."""

    def make(row: Row, n: int, known: Known) -> Planted:
        return Planted(to_line(change(row, n, known)), (stage, reason))

    return make


def repaired(change: Callable[[Row, int], tuple[Row, Row]]) -> Make:
    """A kind that is repaired; `change` returns the dirty and the clean fields."""

    def make(row: Row, n: int, known: Known) -> Planted:
        del known
        dirty, clean = change(row, n)
        return Planted(to_line(row | dirty), repaired=row | clean)

    return make


def to_line(row: Row | bytes) -> bytes:
    """A line of JSON Lines; bytes are returned unchanged."""
    return (
        row if isinstance(row, bytes) else json.dumps(row, ensure_ascii=False).encode()
    )
