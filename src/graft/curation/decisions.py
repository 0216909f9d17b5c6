"""Decisions of reviewers on the data: tracked by git, read by `preprocess`."""

import csv
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graft import io
from graft.data.preprocess.cleaning import ReviewDecisions
from graft.data.preprocess.pii import to_decisions
from graft.errors import DataError
from graft.records import shorten

PERSONAL, READMITTED = "personal_data.jsonl", "readmitted.jsonl"
REVIEW_COLUMNS = ("decision", "kind", "text", "context", "why", "where", "id", "key")
MAX_CELL = 1000
"""Characters of a cell; the limit of spreadsheets is 32,767."""
KEY_MARK = "#"
"""Goes before a key, since a spreadsheet would turn 12e45 into a number."""
_RISKY = re.compile(
    r"((?:^|;)[\s\"']*)(?=[=+\-@＝＋－＠])|^(?=[\d.,]+(?:e\d+)?$)", re.I
)
"""Where a spreadsheet would read a formula or, in a whole cell, a number. In many
locales `;` also separates cells. Source: OWASP, CSV Injection."""
Placed = tuple[str, Mapping[str, Any]]
"""The fields of a line, after its place for error messages."""


@dataclass(frozen=True)
class Stored:
    """Findings of a review file by decision, and the numbers of new and changed
    ones."""

    yes: int
    no: int
    open: int
    new: int
    changed: int


def read_decisions(folder: Path) -> ReviewDecisions:
    """All stored decisions; empty without a file. Raises: DataError."""
    personal = to_decisions(_read_lines(folder / PERSONAL, "key"))
    return ReviewDecisions(
        personal, frozenset(line["id"] for line in read_readmitted(folder))
    )


def write_review(path: Path, lines: Iterable[Mapping[str, str]]) -> None:
    """Write findings as CSV for a reviewer, who fills in the column `decision`.

    Spreadsheets show it unchanged: it begins with a byte order mark, a cell is one
    line, and none is read as a formula or a number.
    """
    with (
        io.atomic(path) as partial,
        partial.open("w", newline="", encoding="utf-8-sig") as file,
    ):
        writer = csv.DictWriter(file, REVIEW_COLUMNS)
        writer.writeheader()
        for line in lines:
            shown = {name: _to_cell(text) for name, text in line.items()}
            shown["key"] = line["key"] and KEY_MARK + line["key"]
            writer.writerow({"decision": "", **shown})


def _to_cell(text: str) -> str:
    """Text as one line, with an apostrophe before what would not stay text."""
    return _RISKY.sub(r"\1'", shorten(text, MAX_CELL))


def store_personal(folder: Path, rows: Iterable[Placed]) -> Stored:
    """Add the decisions of a filled review file to the stored ones.

    Args:
        folder: folder of the stored ones.
        rows: key, decision and kind, each with its place.
    Raises: DataError at a cell that is not a decision.
    """
    rows = list(rows)
    found = to_decisions(rows)
    kinds = {row["key"]: row.get("kind", "") for _, row in rows}
    lines = _read_lines(folder / PERSONAL, "key")
    known = to_decisions(lines)
    stored = {line["key"].lower(): line for _, line in lines}
    new = {key: yes for key, yes in found.items() if known.get(key) is not yes}
    for key, yes in new.items():
        word = "yes" if yes else "no"
        stored[key] = {"key": key, "decision": word, "kind": kinds[key]}
    if new:
        io.write_json_lines(folder / PERSONAL, stored.values())
    words = Counter(found.values())
    changed = len(set(new) & set(known))
    return Stored(
        words[True], words[False], len(kinds) - len(found), len(new) - changed, changed
    )


def read_readmitted(folder: Path) -> list[dict[str, str]]:
    """Lines with id, reason and where (empty if unknown). Raises: DataError."""
    names = ("id", "reason", "where")
    return [
        {name: str(line.get(name, "")) for name in names}
        for _, line in _read_lines(folder / READMITTED, "id")
    ]


def readmit(folder: Path, rejects: Iterable[Mapping[str, str]]) -> int:
    """Add rejects to the re-admitted examples. Returns: number of new ones."""
    lines = {line["id"]: line for line in read_readmitted(folder)}
    before = len(lines)
    for reject in rejects:
        line = {name: reject[name] for name in ("id", "reason", "where")}
        lines.setdefault(reject["id"], line)
    if len(lines) > before:
        io.write_json_lines(folder / READMITTED, lines.values())
    return len(lines) - before


def take_back(folder: Path, ids: Set[str]) -> None:
    """Remove examples from the re-admitted ones."""
    lines = [line for line in read_readmitted(folder) if line["id"] not in ids]
    io.write_json_lines(folder / READMITTED, lines)


def _read_lines(path: Path, name: str) -> list[tuple[str, dict[str, Any]]]:
    """All lines with their places. Raises: DataError if one has no field `name`."""
    lines = list(io.read_json_lines(path)) if path.exists() else []
    for place, value in lines:
        if not isinstance(value, dict) or not isinstance(value.get(name), str):
            raise _no_decision(place, f"has no {name}: {shorten(str(value), 60)}")
    return lines


def _no_decision(place: str, problem: str) -> DataError:
    return DataError(
        place,
        problem,
        expected='a line such as {"id": "…"} or {"key": "…", "decision": "no"}',
        fix="correct or remove the line; see decisions/README.md for the formats",
    )
