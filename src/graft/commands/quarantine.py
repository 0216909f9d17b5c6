"""`graft quarantine`: show, write out and re-admit the rejects of the stages."""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from json import dumps
from pathlib import Path
from typing import Any

import polars as pl

from graft import io
from graft.curation import decisions as decided
from graft.curation.quarantine import Admission, Filter, decode
from graft.data.columns import to_frame
from graft.errors import ConfigError, DataError
from graft.records import REJECT_SCHEMA, shorten

STAGES = ("convert", "preprocess", "tokenize", "split")
SHOWN = ["where", "stage", "reason", "value", "fix", "id"]
BATCH_SIZE = 1024
"""Rejects read at once; a row may be a long chat."""
Counts = Counter[tuple[str, str]]
"""Rejects by stage and reason."""
Reject = dict[str, str]


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
    """Show the rejects of the stages: counts by reason, and the first of them.

    docs/QUARANTINE.md has examples.

    Args:
        rejects: folder of the rejects.
        stage: only rejects of this stage.
        reason: only these reasons.
        where: only these places: file:row, file, folder, or a pattern with * or ?.
        contains: only rows with this text.
        limit: number of rows to show.
        rows: JSON Lines file to write the selected rejects to, with their whole rows.
        readmit: keep the selected examples that a rule of preprocess dropped, from the
            next `dvc repro` on.
        undo: undo a re-admission.
        decisions: folder of all decisions, tracked by git.
        json: print one JSON document instead.
    """
    chosen = Filter(reason or [], where or [], contains)
    _check(chosen, stage, limit, rows, readmit, undo)
    if undo:
        _take_back(chosen, decisions)
        return None
    folders = _folders(rejects, stage)
    counts, first = _count(folders, chosen, limit)
    if not counts:
        _explain(rejects, stage, chosen)
    elif not json:
        _show(counts, first, limit)
    if rows and counts:
        _write(rows, _matching(folders, chosen, REJECT_SCHEMA.names))
        print(f"\n{rows}: {counts.total():,} rejects with their whole rows")
    if readmit and counts:
        _readmit(_matching(folders, chosen, SHOWN), chosen, rejects, decisions)
    return _to_document(counts, first) if json else None


def _to_document(counts: Counts, first: list[Reject]) -> dict[str, Any]:
    return {
        "total": counts.total(),
        "counts": [
            {"stage": stage, "reason": reason, "rejects": number}
            for (stage, reason), number in _by_stage(counts)
        ],
        "rejects": first,
    }


def _by_stage(counts: Counts) -> list[tuple[tuple[str, str], int]]:
    return sorted(counts.most_common(), key=lambda item: STAGES.index(item[0][0]))


def _check(
    chosen: Filter,
    stage: str | None,
    limit: int,
    rows: Path | None,
    readmit: bool,
    undo: bool,
) -> None:
    """Raises: ConfigError if flags cannot be combined, or a value is invalid."""
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
            fix="choose another name for --rows, or remove the file",
        )
    if undo and (readmit or rows or stage or chosen.text):
        raise ConfigError(
            "--undo",
            "can only be combined with --reason and --where",
            expected=f"fields of {decided.READMITTED}",
            fix="remove the other flags",
        )
    if (readmit or undo) and not chosen:
        raise ConfigError(
            "--undo" if undo else "--readmit",
            "needs a selection of examples",
            expected="--reason or --where" + ("" if undo else " or --contains"),
            fix="select some; --where '*' means all of them",
        )


def _folders(rejects: Path, stage: str | None = None) -> list[Path]:
    """Folders of the stages that have run, in their order. Raises: DataError."""
    names = (stage,) if stage else STAGES
    if found := [rejects / name for name in names if (rejects / name).is_dir()]:
        return found
    raise DataError(
        str(rejects / stage if stage else rejects),
        "no rejects here",
        expected="outputs of the stages, in " + ", ".join(names),
        fix="run the pipeline (dvc repro), or fetch its outputs (dvc pull)",
    )


def _matching(
    folders: Iterable[Path], chosen: Filter, columns: list[str]
) -> Iterator[pl.DataFrame]:
    """Batches of the selected rejects, with at least these columns."""
    if chosen.text and "row" not in columns:
        columns = [*columns, "row"]
    for folder in folders:
        for table in io.read_batches(folder, columns, BATCH_SIZE):
            yield chosen.select(to_frame(table))


def _count(
    folders: list[Path], chosen: Filter, limit: int
) -> tuple[Counts, list[Reject]]:
    """The number of selected rejects, and the first of them."""
    counts: Counts = Counter()
    first: list[Reject] = []
    for frame in _matching(folders, chosen, SHOWN):
        grouped = frame.group_by("stage", "reason", maintain_order=True).len()
        counts.update({(s, r): number for s, r, number in grouped.iter_rows()})
        first += islice(frame.iter_rows(named=True), limit - len(first))
    return counts, first


def _show(counts: Counts, first: list[Reject], limit: int) -> None:
    lines = [(*key, f"{number:,}") for key, number in _by_stage(counts)]
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


def _explain(rejects: Path, stage: str | None, chosen: Filter) -> None:
    """Print that there are no rejects. Raises: DataError if the filter matches none."""
    counts, _ = _count(_folders(rejects), Filter([], []), 0)
    if not counts:
        print(f"{rejects}: no rejects")
        return
    known = "".join(f"\n  - {s}: {r}: {n:,}" for (s, r), n in counts.items())
    flags = " ".join(filter(None, [f"--stage {stage}" if stage else "", str(chosen)]))
    raise DataError(
        str(rejects),
        f"no reject matches {flags}; there are{known}",
        expected="a reason of this list, in quotes; a place, or '*part of it*'",
        fix="change the filter",
    )


def _write(path: Path, found: Iterable[pl.DataFrame]) -> None:
    """Write one JSON object per reject; `row` as a value, not as text.

    Lone surrogates are written as escapes.
    """
    with (
        io.atomic(path) as partial,
        open(
            partial, "w", encoding="utf-8", errors="backslashreplace", newline="\n"
        ) as file,
    ):
        for frame in found:
            for line in frame.select(REJECT_SCHEMA.names).iter_rows(named=True):
                whole = line | {"row": decode(line["row"]) if line["row"] else None}
                file.write(dumps(whole, ensure_ascii=False) + "\n")


def _readmit(
    found: Iterable[pl.DataFrame], chosen: Filter, rejects: Path, folder: Path
) -> None:
    """Raises: DataError, and stores none, if one of them cannot be re-admitted."""
    admission = Admission(chosen)
    for frame in found:
        admission.add(frame)
    admission.enforce(str(rejects))
    num_new = decided.readmit(folder, admission.examples.values())
    num_old, path = len(admission.examples) - num_new, folder / decided.READMITTED
    before = f", {num_old:,} were already" if num_old else ""
    print(f"\n{path}: {num_new:,} examples re-admitted{before}")
    print(f"then\n  dvc repro\n  git add {path}")


def _take_back(chosen: Filter, folder: Path) -> None:
    """Undo re-admissions. Raises: DataError if no example matches."""
    path = folder / decided.READMITTED
    lines = decided.read_readmitted(folder)
    names = ("id", "reason", "where")
    known = pl.DataFrame(lines, schema=dict.fromkeys(names, pl.String))
    ids = set(chosen.select(known)["id"])
    if not ids:
        raise DataError(
            str(path),
            f"none of its {len(lines):,} examples matches {chosen}",
            expected="the reason or the place of an example in this file",
            fix="change the filter, or edit the file by hand",
        )
    decided.take_back(folder, ids)
    print(f"{path}: {len(ids):,} examples removed, {len(lines) - len(ids):,} left")
    print(f"then\n  dvc repro\n  git add {path}")
