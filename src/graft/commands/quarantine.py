"""`graft quarantine`: show, write out and re-admit the rejects of the stages."""

from pathlib import Path
from typing import Any

import polars as pl

from graft.curation.decisions import (
    READMITTED,
    add_readmitted,
    read_readmitted,
    remove_readmitted,
)
from graft.curation.quarantine import Admission, Filter
from graft.curation.rejects import (
    SHOWN,
    STAGES,
    Counts,
    Reject,
    count_rejects,
    read_rejects,
    reject_folders,
    sort_by_stage,
    write_rejects,
)
from graft.errors import ConfigError, DataError
from graft.records import REJECT_SCHEMA, shorten


def run(
    *,
    rejects: Path = Path("data/rejects"),
    stage: str | None = None,
    reason: list[str] | None = None,
    where: list[str] | None = None,
    contains: str | None = None,
    limit: int = 10,
    rows: Path | None = None,
    readmit: bool = False,
    undo: bool = False,
    decisions: Path = Path("decisions"),
    json: bool = False,
) -> dict[str, Any] | None:
    """Show the rejects of the stages: counts by reason, and some of the rejects.

    docs/QUARANTINE.md has examples.

    Args:
        rejects: folder of the rejects.
        stage: select rejects of this stage only.
        reason: select rejects with one of these reasons.
        where: select rejects from one of these places: file:row, file, folder, or a
            pattern with * or ?.
        contains: select rows that contain this text.
        limit: maximum number of rejects to show.
        rows: write the selected rejects with their complete rows to this JSON Lines
            file.
        readmit: keep the selected examples although a rule of preprocess dropped them;
            takes effect at the next `dvc repro`.
        undo: undo the re-admission of the examples selected by --reason and --where.
        decisions: folder of all reviewers' decisions, tracked by git.
        json: print one JSON document instead of text.
    """
    selection = Filter(reason or [], where or [], contains)
    _check(selection, stage, limit, rows, readmit, undo)
    if undo:
        removed = _undo(selection, decisions)
        return removed if json else None
    folders = reject_folders(rejects, stage)
    counts, first = count_rejects(folders, selection, limit)
    document = _to_document(counts, first)
    if not counts:
        _explain(rejects, stage, selection)
    elif not json:
        _show(counts, first, limit)
    if rows and counts:
        write_rejects(rows, read_rejects(folders, selection, REJECT_SCHEMA.names))
        print(f"\n{rows}: {counts.total():,} rejects with their complete rows")
    if readmit and counts:
        admission = Admission(selection)
        for frame in read_rejects(folders, selection, SHOWN):
            admission.add(frame)
        admission.enforce(str(rejects))
        document |= _readmit(admission, decisions)
    return document if json else None


def _to_document(counts: Counts, first: list[Reject]) -> dict[str, Any]:
    return {
        "total": counts.total(),
        "counts": [
            {"stage": stage, "reason": reason, "rejects": number}
            for (stage, reason), number in sort_by_stage(counts)
        ],
        "rejects": first,
    }


def _check(
    selection: Filter,
    stage: str | None,
    limit: int,
    rows: Path | None,
    readmit: bool,
    undo: bool,
) -> None:
    """Raises: ConfigError if options cannot be combined, or a value is invalid."""
    if stage and stage not in STAGES:
        expected = f"one of {', '.join(STAGES)}"
        raise ConfigError("--stage", f"is {stage}", expected=expected)
    if limit < 0:
        raise ConfigError("--limit", f"is {limit}", expected="0 or more")
    if rows and rows.exists():
        raise ConfigError(
            str(rows),
            "already exists, and may contain rows that you have corrected",
            expected="a new file",
            fix="choose another file name for --rows, or remove this file",
        )
    if undo and (readmit or rows or stage or selection.text):
        raise ConfigError(
            "--undo",
            "can only be combined with --reason and --where",
            expected=f"a selection by the fields of {READMITTED}",
            fix="remove the other options",
        )
    if (readmit or undo) and not selection:
        raise ConfigError(
            "--undo" if undo else "--readmit",
            "requires a selection of examples",
            expected="--reason or --where" + ("" if undo else " or --contains"),
            fix="add one of these options; --where '*' selects all examples",
        )


def _show(counts: Counts, first: list[Reject], limit: int) -> None:
    """Print the table of counts, and some rejects."""
    lines = [(*key, f"{number:,}") for key, number in sort_by_stage(counts)]
    lines = [("stage", "reason", "rejects"), *lines, ("", "", f"{counts.total():,}")]
    a, b, c = (max(map(len, column)) for column in zip(*lines, strict=True))
    for stage, reason, number in lines:
        print(f"{stage:<{a}}  {reason:<{b}}  {number:>{c}}")
    for reject in first:
        print(f"\n{_plain(reject['where'])}: {reject['stage']}: {reject['reason']}")
        print(f"  value: {_plain(reject['value'])}\n  fix: {_plain(reject['fix'])}")
    if 0 < limit < counts.total():
        print(f"\n… and {counts.total() - len(first):,} more (--limit)")


def _plain(text: str) -> str:
    """One line without control characters of terminals or of text direction."""
    return "".join(c if c.isprintable() else "\ufffd" for c in shorten(text, 200))


def _explain(rejects: Path, stage: str | None, selection: Filter) -> None:
    """Print that no stage rejected a row. Raises: DataError if there are rejects, but
    none matches the selection."""
    counts, _ = count_rejects(reject_folders(rejects), Filter([], []), 0)
    if not counts:
        print(f"{rejects}: no rejects")
        return
    existing = "".join(f"\n  - {s}: {r}: {n:,}" for (s, r), n in counts.items())
    options = f"--stage {stage} " * bool(stage) + str(selection)
    raise DataError(
        str(rejects),
        f"no reject matches {options.strip()}; existing rejects:{existing}",
        expected="--reason with a reason of this list, in quotes; --where with a "
        "place, or with a pattern such as '*part of it*'",
        fix="change the selection",
    )


def _readmit(admission: Admission, folder: Path) -> dict[str, int]:
    """Store the re-admitted examples; returns the numbers of new and earlier ones."""
    num_new = add_readmitted(folder, admission.examples.values())
    num_old, path = len(admission.examples) - num_new, folder / READMITTED
    before = f", {num_old:,} were re-admitted before" if num_old else ""
    print(f"\n{path}: {num_new:,} examples re-admitted{before}")
    _print_next(path)
    return {"readmitted": num_new, "already_readmitted": num_old}


def _undo(selection: Filter, folder: Path) -> dict[str, int]:
    """Undo re-admissions; returns how many were removed and remain.

    Raises: DataError if no example matches.
    """
    path = folder / READMITTED
    lines = read_readmitted(folder)
    names = ("id", "reason", "where")
    stored = pl.DataFrame(lines, schema=dict.fromkeys(names, pl.String))
    ids = set(selection.select(stored)["id"])
    if not ids:
        raise DataError(
            str(path),
            f"none of its {len(lines):,} examples matches {selection}",
            expected="the reason or the place of an example in this file",
            fix="change the selection, or edit the file by hand",
        )
    remove_readmitted(folder, ids)
    remaining = len(lines) - len(ids)
    print(f"{path}: {len(ids):,} examples removed, {remaining:,} remain")
    _print_next(path)
    return {"removed": len(ids), "remaining": remaining}


def _print_next(path: Path) -> None:
    print(f"next:\n  dvc repro\n  git add {path}")
