"""A planted row of `seeded_defects.py`, and what must become of it."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Row = dict[str, Any]
LONGEST = 3000
"""Characters of a message; longer ones are too long."""


@dataclass(frozen=True)
class Known:
    """What else a kind may draw on.

    Args:
        train, held_out: clean rows that stand in the file.
        book: a long clean text in both languages.
        benchmark: a text of a benchmark's file.
    """

    train: Row
    held_out: Row
    book: tuple[str, str]
    benchmark: str


@dataclass(frozen=True)
class Planted:
    """A line of the file: the stage and the reason that put it aside, or the row as it
    must arrive."""

    line: bytes
    outcome: tuple[str, str] | None = None
    repaired: Row | None = None


Make = Callable[[Row, int, Known], Planted]
"""Makes the nth row of a kind from a clean one, which stands nowhere else."""


def rejected(
    stage: str, reason: str, change: Callable[[Row, int, Known], Row | bytes]
) -> Make:
    """A kind that a stage puts aside for a reason that begins so."""

    def make(row: Row, n: int, known: Known) -> Planted:
        return Planted(to_line(change(row, n, known)), (stage, reason))

    return make


def repaired(change: Callable[[Row, int], tuple[Row, Row]]) -> Make:
    """A kind that arrives repaired; `change` gives what a row says dirty and clean."""

    def make(row: Row, n: int, known: Known) -> Planted:
        del known
        dirty, clean = change(row, n)
        return Planted(to_line(row | dirty), repaired=row | clean)

    return make


def to_line(row: Row | bytes) -> bytes:
    """A line of JSON Lines; bytes are one already."""
    return (
        row if isinstance(row, bytes) else json.dumps(row, ensure_ascii=False).encode()
    )
