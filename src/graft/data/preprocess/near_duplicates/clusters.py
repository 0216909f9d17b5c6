"""Pairs of near-duplicates → which row is kept for which, and which groups merge."""

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

    `cluster` is the first row of a connected component of near-duplicates. `kept_for`
    is the row that is kept in a row's place, or the row itself if it is kept. Of a
    cluster the row of the lowest rank is kept, then the first; rows that are not near
    to it are treated again without it. So each dropped row is near to a kept one,
    however long the chain of pairs between them.

    Args:
        pairs: near-duplicates, as indices into `sets`. Shape [pairs, 2].
        rank: of each row of `sets`: test 0, validation 1, train 2.
    """
    rows, ends = np.unique(pairs, return_inverse=True)
    labels = _components(ends.reshape(-1, 2), len(rows))
    kept_for = rows.copy()
    left = np.lexsort((rows, rank[rows], labels))  # clusters, their best row first
    while len(left):
        _, firsts, number = np.unique(
            labels[left], return_index=True, return_inverse=True
        )
        best = left[firsts[number]]  # the first of each cluster
        others = best != left
        left, best = left[others], best[others]
        near = are_near(np.stack((rows[best], rows[left]), axis=1), sets, config)
        kept_for[left[near]] = rows[best[near]]
        left = left[~near]
    cluster = rows[np.unique(labels, return_index=True)[1]][labels]
    return pl.DataFrame({"row": rows, "cluster": cluster, "kept_for": kept_for})


def merge_groups(members: pl.DataFrame) -> pl.DataFrame:
    """New names of groups, so that no cluster is in more than one group.

    Groups that share a cluster become the one that begins first in the data: a later
    row joins an old group and never renames it. (A later row that links two old groups
    does move the later of these.)

    Args:
        members: cluster, group and `begins` (the first row of that group in all the
            data) of each clustered row.
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
    """Counts, the number of clusters by size, and rows of the largest clusters."""
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
    """The connected component of each node. Shape [number]."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    ones = np.ones(len(ends), np.int8)
    graph = coo_array((ones, (ends[:, 0], ends[:, 1])), shape=(number, number))
    return np.asarray(connected_components(graph, directed=False)[1], np.int64)
