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
from graft.data.preprocess.pii.review import to_decisions
from graft.errors import DataError
from graft.records import shorten

PERSONAL, READMITTED = "personal_data.jsonl", "readmitted.jsonl"
REVIEW_COLUMNS = ("decision", "kind", "text", "context", "why", "where", "id", "key")
MAX_CELL = 1000
"""Characters of a cell; the limit of spreadsheets is 32,767."""
KEY_MARK = "#"
"""Prefix of keys in a review file: spreadsheets would turn 12e45 into a number."""
_RISKY = re.compile(
    r"((?:^|;)[\s\"']*)(?=[=+\-@＝＋－＠])|^(?=[\d.,]+(?:e\d+)?$)", re.I
)
"""The beginnings of text that spreadsheets would read as a formula, and of cells that
they would read as a number. In many locales `;` also separates cells. Source: OWASP,
CSV Injection."""
Placed = tuple[str, Mapping[str, Any]]
"""The place of a row or line, for error messages, and its fields."""


@dataclass(frozen=True)
class Stored:
    """Numbers of findings in a review file by decision (`yes`, `no`, or `open` without
    one), and of decisions that are `new` or `changed` compared with the stored ones."""

    yes: int
    no: int
    open: int
    new: int
    changed: int


def read_decisions(folder: Path) -> ReviewDecisions:
    """All stored decisions; empty if no file exists. Raises: DataError."""
    personal = to_decisions(_read_lines(folder / PERSONAL, "key"))
    return ReviewDecisions(
        personal, frozenset(line["id"] for line in read_readmitted(folder))
    )


def write_review(path: Path, lines: Iterable[Mapping[str, str]]) -> None:
    """Write findings as CSV for a reviewer, who fills in the column `decision`.

    Spreadsheet programs display all values unchanged: the file begins with a byte order
    mark, and each cell is one line that is not read as a formula or a number.
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
    """Text as one line, with an apostrophe before a possible formula or number."""
    return _RISKY.sub(r"\1'", shorten(text, MAX_CELL))


def store_personal(folder: Path, rows: Iterable[Placed]) -> Stored:
    """Add the decisions of a completed review file to those stored in `folder`.

    `rows`: key, decision and kind of each finding, with its place.
    Raises: DataError with the place of a cell that is not a decision.
    """
    rows = list(rows)
    reviewed = to_decisions(rows)
    kinds = {row["key"]: row.get("kind", "") for _, row in rows}
    lines = _read_lines(folder / PERSONAL, "key")
    before = to_decisions(lines)
    stored = {line["key"].lower(): line for _, line in lines}
    updates = {key: yes for key, yes in reviewed.items() if before.get(key) is not yes}
    for key, yes in updates.items():
        decision = "yes" if yes else "no"
        stored[key] = {"key": key, "decision": decision, "kind": kinds[key]}
    if updates:
        io.write_json_lines(folder / PERSONAL, stored.values())
    totals = Counter(reviewed.values())
    changed = len(updates.keys() & before.keys())
    return Stored(
        yes=totals[True],
        no=totals[False],
        open=len(kinds) - len(reviewed),
        new=len(updates) - changed,
        changed=changed,
    )


def read_readmitted(folder: Path) -> list[dict[str, str]]:
    """The re-admitted examples: id, reason and where; missing fields are empty.

    Raises: DataError.
    """
    names = ("id", "reason", "where")
    return [
        {name: str(line.get(name, "")) for name in names}
        for _, line in _read_lines(folder / READMITTED, "id")
    ]


def add_readmitted(folder: Path, rejects: Iterable[Mapping[str, str]]) -> int:
    """Add rejects to the re-admitted examples; returns how many were added."""
    lines = {line["id"]: line for line in read_readmitted(folder)}
    before = len(lines)
    for reject in rejects:
        line = {name: reject[name] for name in ("id", "reason", "where")}
        lines.setdefault(reject["id"], line)
    if len(lines) > before:
        io.write_json_lines(folder / READMITTED, lines.values())
    return len(lines) - before


def remove_readmitted(folder: Path, ids: Set[str]) -> None:
    """Remove examples from the re-admitted examples."""
    lines = [line for line in read_readmitted(folder) if line["id"] not in ids]
    io.write_json_lines(folder / READMITTED, lines)


def _read_lines(path: Path, name: str) -> list[tuple[str, dict[str, Any]]]:
    """All lines with their places. Raises: DataError if a line has no field `name`."""
    lines = list(io.read_json_lines(path)) if path.exists() else []
    for place, value in lines:
        if not isinstance(value, dict) or not isinstance(value.get(name), str):
            raise _invalid_line(place, f"has no {name}: {shorten(str(value), 60)}")
    return lines


def _invalid_line(place: str, problem: str) -> DataError:
    return DataError(
        place,
        problem,
        expected='a line such as {"id": "…"} or {"key": "…", "decision": "no"}',
        fix="correct or remove the line; see decisions/README.md for the formats",
    )
