"""Pairs of near-duplicates → who is kept for whom, and which groups become one."""

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from graft.config.near_duplicates import NearDuplicatesConfig
from graft.data.preprocess.near_duplicates.nearness import are_near
from graft.data.preprocess.near_duplicates.pairs import Pairs
from graft.data.preprocess.near_duplicates.sets import Sets

Ints = npt.NDArray[np.int64]


def to_clusters(
    pairs: Pairs, rank: Ints, sets: Sets, config: NearDuplicatesConfig
) -> pl.DataFrame:
    """The rows that have a near-duplicate, with columns row, cluster and kept_for.

    `cluster` joins all that are linked by near-duplicates, itself the number of their
    first row. `kept_for` is the row that is kept in a row's place, and is the row
    itself where it is kept. The lowest rank is kept, then the first row; what is not
    near to that one itself is looked at again without it. So each row that is dropped
    is near to one that is kept, however long the chain between others.

    Args:
        pairs: near-duplicates, as places in `sets`. Shape [pairs, 2].
        rank: of each place, lowest first: test 0, validation 1, train 2.
        sets: of the rows that are compared, in the order of the rows.
        config: the threshold.
    """
    rows, ends = np.unique(pairs, return_inverse=True)
    labels = _components(ends.reshape(-1, 2), len(rows))
    kept_for = rows.copy()
    left = np.lexsort((rows, rank[rows], labels))  # clusters, their best row first
    while len(left):
        best = left[_first_of_run(labels[left])]
        others = best != left
        left, best = left[others], best[others]
        near = are_near(np.stack((rows[best], rows[left]), axis=1), sets, config)
        kept_for[left[near]] = rows[best[near]]
        left = left[~near]
    cluster = rows[np.unique(labels, return_index=True)[1]][labels]
    return pl.DataFrame({"row": rows, "cluster": cluster, "kept_for": kept_for})


def merge_groups(members: pl.DataFrame) -> pl.DataFrame:
    """Which group each group becomes, so that no cluster stands in two of them.

    Groups that a cluster links become the one that begins first in the data: a row
    that comes later joins an old group and never renames it. (A later row that links
    two old groups does move the younger of these.)

    Args:
        members: of each clustered row its cluster, group, and `begins`, the first row
            of that group in all the data.
    Returns: columns group and merged, for the groups that change.
    """
    names = members.group_by("group").agg(pl.col("begins").min()).sort("begins")
    names = names.with_row_index("number")
    ends = members.join(names.select("group", "number"), on="group").select(
        "number", first=pl.col("number").min().over("cluster")
    )
    labels = _components(ends.to_numpy().astype(np.int64), names.height)
    oldest = np.unique(labels, return_index=True)[1][labels]
    merged = names["group"].gather(oldest).alias("merged")
    return names.select("group", merged).filter(pl.col("group") != pl.col("merged"))


def to_report(clusters: pl.DataFrame, num_shown: int) -> dict[str, Any]:
    """Counts, how many clusters have how many rows, and rows of the largest."""
    sizes = clusters.group_by("cluster").agg(
        size=pl.len(), rows=pl.col("row").sort().head(num_shown)
    )
    counts = sizes.group_by("size").len().sort("size")
    largest = sizes.sort("size", "cluster", descending=[True, False]).head(num_shown)
    return {
        "clusters": sizes.height,
        "rows": clusters.height,
        "repeats": clusters.filter(pl.col("row") != pl.col("kept_for")).height,
        "sizes": dict(counts.iter_rows()),
        "largest": largest.select("size", "rows").to_dicts(),
    }


def _components(ends: Pairs, number: int) -> Ints:
    """Which connected component each node is in. Shape [number]."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    ones = np.ones(len(ends), np.int8)
    graph = coo_array((ones, (ends[:, 0], ends[:, 1])), shape=(number, number))
    return np.asarray(connected_components(graph, directed=False)[1], np.int64)


def _first_of_run(labels: Ints) -> Ints:
    """For each place, where the first place with the same label is; labels grouped."""
    _, firsts, number = np.unique(labels, return_index=True, return_inverse=True)
    return np.asarray(firsts[number])
