"""Exact duplicates and near-duplicates over all of a source, and groups that they
merge.

Reads the columns of `cleaning.marked_schema` several times, never all at once. Memory:
29 bytes per row; for near-duplicates 24 more, 8 for each band in progress, 16 per
candidate pair, and the sets (20 bytes per word) first of the rows of half a million
pairs at a time, then of all rows that have a near-duplicate.
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
from graft.data.columns import numbered, to_frame
from graft.data.ordered import repeated
from graft.data.preprocess.cleaning import prompt_and_answer
from graft.data.preprocess.near_duplicates.clusters import (
    merge_groups,
    to_clusters,
    to_report,
)
from graft.data.preprocess.near_duplicates.nearness import are_near
from graft.data.preprocess.near_duplicates.pairs import NO_PAIRS, join_pairs, to_pairs
from graft.data.preprocess.near_duplicates.sets import Sets, join_sets, to_sets
from graft.data.preprocess.near_duplicates.signatures import MARKS, bands
from graft.data.turns import sides, unfold
from graft.engine.ordered import Map

Ints = npt.NDArray[np.int64]
Keys = npt.NDArray[np.uint64]


class MarkedRows(Protocol):
    """All rows by `cleaning.marked_schema`."""

    def tables(self, columns: Sequence[str] | None = None) -> Iterable[pa.Table]:
        """Tables in order, with these columns."""

    def numbers(self, name: str) -> Keys:
        """A column of numbers. Shape [rows]."""


_RANK = {"test": 0, "validation": 1}
NUM_SHOWN = 5


@dataclass(frozen=True)
class Duplicates:
    """Exact and near-duplicates by row number.

    Attributes:
        order: number of equal rows before each; 0 for a first occurrence. Shape [rows].
        near: columns row, kept_for (the row that is kept in its place) and where (of
            that row).
        merged: columns group and merged, for groups that near-duplicates merge.
        report: counts of near-duplicates; empty if the policy is to ignore them.
    """

    order: npt.NDArray[np.int32]
    near: pl.DataFrame
    merged: pl.DataFrame
    report: dict[str, Any] = field(default_factory=dict)


_NEAR = pl.Schema({"row": pl.Int64, "kept_for": pl.Int64, "where": pl.String})
_MERGED = pl.Schema({"group": pl.String, "merged": pl.String})


def find_duplicates(
    marked: MarkedRows, config: PreprocessConfig, run: Map = map
) -> Duplicates:
    """Duplicates among the rows that no rule drops.

    Of equal rows an official test row comes first, then validation, then train, so that
    leaks are removed from train; within a split the first row of the data comes first.
    """
    parts = [_to_rank(table) for table in marked.tables(["reason", "split"])]
    rank = np.concatenate([np.zeros(0, np.uint8), *parts])
    order = _count_before(rank, marked.numbers("high"), marked.numbers("low"))
    near = config.near_duplicates
    if near.policy == "ignore":
        none = pl.DataFrame(schema=_NEAR)
        return Duplicates(order, none, pl.DataFrame(schema=_MERGED))
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
    marked: MarkedRows,
    config: PreprocessConfig,
    run: Map,
) -> Duplicates:
    """Compare candidate pairs exactly, and cluster the near-duplicates among them."""
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
    return Duplicates(order, clusters.select(_NEAR.names()), merged, shown)


_DROPPED = 3
_AT_ONCE = 500_000
"""Pairs; those of short rows need 300 MB."""


def _are_near(
    pairs: Ints, marked: MarkedRows, config: NearDuplicatesConfig, run: Map
) -> npt.NDArray[np.bool_]:
    rows, places = np.unique(pairs, return_inverse=True)
    sets = _fetch(marked, rows, config, run)[0]
    return are_near(places.reshape(-1, 2), sets, config)


def _to_rank(table: pa.Table) -> npt.NDArray[np.uint8]:
    """Each row's rank by split, or 3 if a rule drops it. Shape [rows]."""
    frame = to_frame(table)
    rank = frame["split"].replace_strict(_RANK, default=2, return_dtype=pl.UInt8)
    dropped = frame["reason"].is_not_null().to_numpy()
    return np.where(dropped, np.uint8(_DROPPED), rank.to_numpy())


def _count_before(
    rank: npt.NDArray[np.uint8], high: Keys, low: Keys
) -> npt.NDArray[np.int32]:
    """Number of equal rows before each, shape [rows]. Two of 10⁹ different examples
    have the same 128 bits with a probability of 10⁻²¹."""
    order = np.zeros(len(rank), np.int32)
    left = np.flatnonzero(rank < _DROPPED)
    rows = left[repeated(high[left])]
    equal = pl.DataFrame(
        {"row": rows, "rank": rank[rows], "high": high[rows], "low": low[rows]}
    ).sort("rank", maintain_order=True)
    number = pl.int_range(pl.len(), dtype=pl.Int32).over("high", "low")
    found = equal.select("row", number=number)
    order[found["row"].to_numpy()] = found["number"].to_numpy()
    return order


def _fetch(
    marked: MarkedRows, rows: Ints, config: NearDuplicatesConfig, run: Map
) -> tuple[Sets, pl.Series, pl.Series]:
    """The sets, `file:row` and groups of these rows, which are in ascending order."""
    found = [pl.DataFrame(schema=_PLACE)]

    def texts() -> Iterator[pl.DataFrame]:
        yield pl.DataFrame(schema={"prompt": pl.String, "answer": pl.String})
        for at, table in numbered(marked.tables(["messages", *_PLACE])):
            start, end = np.searchsorted(rows, (at, at + table.num_rows))
            if end > start:
                batch = to_frame(table.take(pa.array(rows[start:end] - at)))
                found.append(batch.select(*_PLACE))
                yield prompt_and_answer(sides(unfold(batch)))

    sets = join_sets(list(run(partial(to_sets, config=config), texts())))
    lines = pl.concat(found)
    return sets, lines["where"], lines["group"]


_PLACE = {"where": pl.String, "group": pl.String}


def _begins(marked: MarkedRows, groups: pl.Series) -> pl.DataFrame:
    """The first row of each of these groups; columns group and begins."""
    # Names are copied, since a slice of a column keeps its whole table in memory.
    found: dict[str, int] = {}
    for at, table in numbered(marked.tables(["group"]) if len(groups) else ()):
        frame = to_frame(table).with_row_index("begins", offset=at)
        mine = frame.filter(pl.col("group").is_in(groups.implode()))
        for begins, group in mine.iter_rows():
            found.setdefault(group, begins)
    return pl.DataFrame(
        list(found.items()), {"group": pl.String, "begins": pl.Int64}, orient="row"
    )
