"""Reading, counting and writing the rejects that the stages stored."""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from json import dumps
from pathlib import Path

import polars as pl

from graft import io
from graft.curation.quarantine import Filter, decode
from graft.data.columns import to_frame
from graft.errors import DataError
from graft.records import REJECT_SCHEMA

STAGES = ("convert", "preprocess", "tokenize", "split")
"""The stages that reject rows, in pipeline order."""
SHOWN = ["where", "stage", "reason", "value", "fix", "id"]
"""Columns that `graft quarantine` prints."""
BATCH_SIZE = 1024
"""Rejects read at a time; a single row may be a long chat."""
Counts = Counter[tuple[str, str]]
"""Number of rejects by (stage, reason)."""
Reject = dict[str, str]


def reject_folders(rejects: Path, stage: str | None = None) -> list[Path]:
    """Folders of the stages that have run, in pipeline order; or only that of one
    stage. Raises: DataError if none exists."""
    names = (stage,) if stage else STAGES
    folders = [rejects / name for name in names if (rejects / name).is_dir()]
    if not folders:
        raise DataError(
            str(rejects / stage if stage else rejects),
            "folder of rejects does not exist",
            expected="outputs of the stages, in " + ", ".join(names),
            fix="run the pipeline (dvc repro), or fetch its outputs (dvc pull)",
        )
    return folders


def read_rejects(
    folders: Iterable[Path], selection: Filter, columns: list[str]
) -> Iterator[pl.DataFrame]:
    """Batches of the selected rejects, with at least these columns."""
    if selection.text and "row" not in columns:
        columns = [*columns, "row"]
    for folder in folders:
        for table in io.read_batches(folder, columns, BATCH_SIZE):
            yield selection.select(to_frame(table))


def count_rejects(
    folders: Iterable[Path], selection: Filter, limit: int
) -> tuple[Counts, list[Reject]]:
    """The number of selected rejects, and up to `limit` of them."""
    counts: Counts = Counter()
    first: list[Reject] = []
    for frame in read_rejects(folders, selection, SHOWN):
        grouped = frame.group_by("stage", "reason", maintain_order=True).len()
        counts.update({(s, r): number for s, r, number in grouped.iter_rows()})
        first += islice(frame.iter_rows(named=True), limit - len(first))
    return counts, first


def sort_by_stage(counts: Counts) -> list[tuple[tuple[str, str], int]]:
    """Counts in pipeline order; within a stage, the most frequent reason first."""
    return sorted(counts.most_common(), key=lambda item: STAGES.index(item[0][0]))


def write_rejects(path: Path, frames: Iterable[pl.DataFrame]) -> None:
    """Write one JSON object per reject, whose `row` is a value instead of JSON text.

    Lone surrogates are written as escapes.
    """
    with (
        io.atomic(path) as partial,
        open(
            partial, "w", encoding="utf-8", errors="backslashreplace", newline="\n"
        ) as file,
    ):
        for frame in frames:
            for reject in frame.select(REJECT_SCHEMA.names).iter_rows(named=True):
                row = decode(reject["row"]) if reject["row"] else None
                file.write(dumps(reject | {"row": row}, ensure_ascii=False) + "\n")
