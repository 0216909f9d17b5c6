"""Near-duplicates over all batches of a source, by MinHash with banding.

1. `to_keys` computes a few 64-bit keys per row of a batch, on any machine.
2. `to_pairs` finds candidate pairs from one band's keys of all rows.
3. `to_sets` and `are_near` compare those pairs exactly.
4. `to_clusters` chooses the rows to keep, `merge_groups` the groups to merge.

Sources: Broder 1997 (shingles, MinHash); Leskovec, Rajaraman and Ullman, Mining of
Massive Datasets, chapter 3 (bands).
"""

from graft.data.preprocess.near_duplicates.clusters import (
    merge_groups,
    to_clusters,
    to_report,
)
from graft.data.preprocess.near_duplicates.nearness import are_near
from graft.data.preprocess.near_duplicates.pairs import NO_PAIRS, join_pairs, to_pairs
from graft.data.preprocess.near_duplicates.sets import Sets, join_sets, to_sets
from graft.data.preprocess.near_duplicates.signatures import (
    MARKS,
    bands,
    recall,
    to_keys,
)

__all__ = [
    "MARKS",
    "NO_PAIRS",
    "Sets",
    "are_near",
    "bands",
    "join_pairs",
    "join_sets",
    "merge_groups",
    "recall",
    "to_clusters",
    "to_keys",
    "to_pairs",
    "to_report",
    "to_sets",
]
