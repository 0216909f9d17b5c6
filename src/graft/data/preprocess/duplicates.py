"""What repeats over all of a source: exact duplicates, near-duplicates, and the groups
that these join.

Reads the columns of `cleaning.marked_schema` again and again, never all at once. It
holds 29 bytes a row; for near-duplicates 24 more, 8 for each band at work, 16 for each
pair to compare, and the sets (20 bytes a word) of the rows of half a million pairs at a
time, and then of all rows that have a near-duplicate.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial, reduce
from itertools import islice
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from graft.config import PreprocessConfig
from graft.config.near_duplicates import NearDuplicatesConfig
from graft.data.columns import to_frame
from graft.data.preprocess.cleaning import compared
from graft.data.preprocess.near_duplicates import (
    MARKS,
    NO_PAIRS,
    Sets,
    are_near,
    bands,
    join_pairs,
    join_sets,
    merge_groups,
    to_clusters,
    to_pairs,
    to_report,
    to_sets,
)
from graft.data.turns import sides, unfold
from graft.engine.ordered import Map

Ints = npt.NDArray[np.int64]
Keys = npt.NDArray[np.uint64]


class Marked(Protocol):
    """All rows by `cleaning.marked_schema`."""

    def tables(self, columns: Sequence[str] | None = None) -> Iterable[pa.Table]:
        """Tables in order, with these columns."""

    def numbers(self, name: str) -> Keys:
        """A column of numbers. Shape [rows]."""


_RANK = {"test": 0, "validation": 1}
NUM_SHOWN = 5


@dataclass(frozen=True)
class Repeats:
    """What is known of each row by its number.

    Attributes:
        order: how many equals are kept before it: 0 for a row that repeats none.
            Shape [rows].
        near: columns row, kept_for and where (of the row that is kept for it).
        merged: columns group and merged, for the groups that near-duplicates join.
        report: counts of near-duplicates; empty if they are not looked for.
    """

    order: npt.NDArray[np.int32]
    near: pl.DataFrame
    merged: pl.DataFrame
    report: dict[str, Any] = field(default_factory=dict)


_NEAR = pl.Schema({"row": pl.Int64, "kept_for": pl.Int64, "where": pl.String})
_MERGED = pl.Schema({"group": pl.String, "merged": pl.String})


def find_repeats(marked: Marked, config: PreprocessConfig, run: Map = map) -> Repeats:
    """Look at the rows that no rule drops.

    An official test example stands before its equals in validation, and these before
    those in train, so what leaks is taken from train; else the first row stands first.
    """
    parts = [_to_rank(table) for table in marked.tables(["reason", "split"])]
    rank = np.concatenate([np.zeros(0, np.uint8), *parts])
    order = _count_before(rank, marked.numbers("high"), marked.numbers("low"))
    near = config.near_duplicates
    if near.policy == "ignore":
        return Repeats(order, pl.DataFrame(schema=_NEAR), pl.DataFrame(schema=_MERGED))
    left = rank < _DROPPED
    if config.drop_duplicates:
        left &= order == 0
    rows = np.flatnonzero(left)
    names = [f"key_{n}" for n in range(MARKS + bands(near)[0])]
    columns = (marked.numbers(name)[left] for name in names)
    marks = np.stack(list(islice(columns, MARKS)), axis=1)
    bands_pairs = run(partial(to_pairs, marks=marks, config=near), columns)
    pairs = reduce(lambda known, new: join_pairs([known, new]), bands_pairs, NO_PAIRS)
    del marks
    return _compare(rows[pairs], rank.astype(np.int64), order, marked, config, run)


def _compare(
    pairs: Ints,
    rank: Ints,
    order: npt.NDArray[np.int32],
    marked: Marked,
    config: PreprocessConfig,
    run: Map,
) -> Repeats:
    """The candidates that are near-duplicates indeed, and what follows of it."""
    near = config.near_duplicates
    parts = [pairs[at : at + _AT_ONCE] for at in range(0, len(pairs), _AT_ONCE)]
    pairs = join_pairs(part[_are_near(part, marked, near, run)] for part in parts)
    rows, places = np.unique(pairs, return_inverse=True)
    sets, where, groups = _fetch(marked, rows, near, run)
    found = to_clusters(places.reshape(-1, 2), rank[rows], sets, near)
    shown = to_report(found, NUM_SHOWN)
    for cluster in shown["largest"]:
        cluster["rows"] = where.gather(cluster["rows"]).to_list()
    global_rows = pl.Series(rows)
    clusters = found.select(
        cluster="cluster",
        group=groups.gather(found["row"]),
        row=global_rows.gather(found["row"]),
        kept_for=global_rows.gather(found["kept_for"]),
        where=where.gather(found["kept_for"]),
    )
    begins = _begins(marked, clusters["group"].unique())
    merged = merge_groups(clusters.join(begins, on="group"))
    return Repeats(order, clusters.select(_NEAR.names()), merged, shown)


_DROPPED = 3
_AT_ONCE = 500_000
"""Pairs: of short rows 300 MB."""


def _are_near(
    pairs: Ints, marked: Marked, config: NearDuplicatesConfig, run: Map
) -> npt.NDArray[np.bool_]:
    rows, places = np.unique(pairs, return_inverse=True)
    sets = _fetch(marked, rows, config, run)[0]
    return are_near(places.reshape(-1, 2), sets, config)


def _to_rank(table: pa.Table) -> npt.NDArray[np.uint8]:
    """Rank by split of each row, and 3 for one that is dropped already."""
    frame = to_frame(table)
    rank = frame["split"].replace_strict(_RANK, default=2, return_dtype=pl.UInt8)
    dropped = frame["reason"].is_not_null().to_numpy()
    return np.where(dropped, np.uint8(_DROPPED), rank.to_numpy())


def _count_before(
    rank: npt.NDArray[np.uint8], high: Keys, low: Keys
) -> npt.NDArray[np.int32]:
    """How many equals stand before each row. With 128 bits, two of 10⁹ different
    examples meet with a chance of 10⁻²¹."""
    order = np.zeros(len(rank), np.int32)
    left = np.flatnonzero(rank < _DROPPED)
    by_key = left[np.argsort(high[left])]
    same = np.zeros(len(left) + 1, bool)
    same[1:-1] = high[by_key[1:]] == high[by_key[:-1]]
    rows = np.sort(by_key[same[1:] | same[:-1]])
    repeated = pl.DataFrame(
        {"row": rows, "rank": rank[rows], "high": high[rows], "low": low[rows]}
    ).sort("rank", maintain_order=True)
    number = pl.int_range(pl.len(), dtype=pl.Int32).over("high", "low")
    found = repeated.select("row", number=number)
    order[found["row"].to_numpy()] = found["number"].to_numpy()
    return order


def _fetch(
    marked: Marked, rows: Ints, config: NearDuplicatesConfig, run: Map
) -> tuple[Sets, pl.Series, pl.Series]:
    """The sets of what is said, the place, and the group of these rows, in ascending
    order."""
    found = [pl.DataFrame(schema=_PLACE)]

    def texts() -> Iterator[pl.DataFrame]:
        yield pl.DataFrame(schema={"prompt": pl.String, "answer": pl.String})
        at = 0
        for table in marked.tables(["messages", *_PLACE]):
            start, end = np.searchsorted(rows, (at, at + table.num_rows))
            at, first = at + table.num_rows, at
            if end > start:
                batch = to_frame(table.take(pa.array(rows[start:end] - first)))
                found.append(batch.select(*_PLACE))
                yield compared(sides(unfold(batch)))

    sets = join_sets(list(run(partial(to_sets, config=config), texts())))
    lines = pl.concat(found)
    return sets, lines["where"], lines["group"]


_PLACE = {"where": pl.String, "group": pl.String}


def _begins(marked: Marked, groups: pl.Series) -> pl.DataFrame:
    """The first row of each of these groups; columns group and begins."""
    # Names are copied: a slice of a column would keep all of its table in memory.
    found: dict[str, int] = {}
    at = 0
    for table in marked.tables(["group"]) if len(groups) else ():
        frame = to_frame(table).with_row_index("begins", offset=at)
        mine = frame.filter(pl.col("group").is_in(groups.implode()))
        for begins, group in mine.iter_rows():
            found.setdefault(group, begins)
        at += table.num_rows
    return pl.DataFrame(
        {"group": list(found), "begins": list(found.values())},
        schema={"group": pl.String, "begins": pl.Int64},
    )
