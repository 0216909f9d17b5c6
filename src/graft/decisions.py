"""What people decide about the data: read by `preprocess`, kept by git."""

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from graft import io
from graft.data.cleaning import Decided
from graft.data.pii import to_decisions
from graft.errors import DataError

PERSONAL, READMITTED = "personal_data.jsonl", "readmitted.jsonl"
REVIEW_COLUMNS = ("decision", "kind", "text", "context", "why", "where", "id", "key")


def read_decided(folder: Path) -> Decided:
    """All decisions so far; none where there is no file. Raises: DataError."""
    personal = folder / PERSONAL
    return Decided(
        to_decisions(_read_lines(personal), str(personal)),
        frozenset(str(line["id"]) for line in _read_lines(folder / READMITTED)),
    )


def write_review(path: Path, lines: Iterable[Mapping[str, str]]) -> None:
    """Findings for a person, as CSV: the column `decision` is to be filled."""
    with io.atomic(path) as partial, partial.open("w", newline="", encoding="utf-8") as f:
        writer = csv.DictWriter(f, REVIEW_COLUMNS)
        writer.writeheader()
        writer.writerows({"decision": "", **line} for line in lines)


def store_personal(folder: Path, review: Path) -> int:
    """Add the decisions of a filled review file to the stored ones.

    Returns: how many are new. Raises: DataError at a cell that is no decision.
    """
    try:
        with review.open(newline="", encoding="utf-8-sig") as file:
            rows = [row for row in csv.DictReader(file) if row.get("key")]
    except OSError as error:
        raise io.storage_error(review, error) from error
    found = to_decisions(rows, str(review))
    known = read_decided(folder).personal
    kinds = {row["key"]: row.get("kind", "") for row in rows}
    new = [
        {"key": key, "decision": "yes" if answer else "no", "kind": kinds[key]}
        for key, answer in found.items()
        if known.get(key) is not answer
    ]
    changed = {line["key"] for line in new} & set(known)
    old = [
        line for line in _read_lines(folder / PERSONAL) if line["key"] not in changed
    ]
    _write_lines(folder / PERSONAL, [*old, *new])
    return len(new)


def readmit(folder: Path, rejects: Sequence[Mapping[str, str]]) -> int:
    """Add rejects to the examples that stay all the same. Returns: how many are new."""
    path = folder / READMITTED
    old = _read_lines(path)
    known = {line["id"] for line in old}
    new = {
        reject["id"]: {name: reject[name] for name in ("id", "reason", "where")}
        for reject in rejects
        if reject["id"] not in known
    }
    _write_lines(path, [*old, *new.values()])
    return len(new)


def _read_lines(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise io.storage_error(path, error) from error
    found = []
    for number, line in enumerate(lines, 1):
        try:
            value = json.loads(line)
            _ = value["id"] if path.name == READMITTED else value["key"]
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(
                f"{path}:{number}",
                f"is no decision: {error}",
                expected='a line such as {"id": …} or {"key": …, "decision": "no"}',
                fix="correct the line; decisions/README.md tells the forms",
            ) from error
        found.append(value)
    return found


def _write_lines(path: Path, lines: Iterable[Mapping[str, Any]]) -> None:
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    io.write_text(path, text)
