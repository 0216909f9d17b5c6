"""Texts that tests of near-duplicates share, and the whole search."""

from collections.abc import Sequence

import numpy as np
import polars as pl
from hypothesis import strategies as st

from graft.config.near_duplicates import NearDuplicatesConfig
from graft.data.preprocess.near_duplicates.clusters import to_clusters
from graft.data.preprocess.near_duplicates.nearness import are_near
from graft.data.preprocess.near_duplicates.pairs import join_pairs, to_pairs
from graft.data.preprocess.near_duplicates.sets import to_sets
from graft.data.preprocess.near_duplicates.signatures import MARKS, to_keys

CONFIG = NearDuplicatesConfig(
    policy="drop", shingle=2, num_permutations=64, threshold=0.7, max_replaced=0.1
)
STORY = (
    "In the far north the ship stood fast in ice, and the crew waited for the wind to "
    "turn. On the third morning a stranger came over the floes with a sledge and two "
    "tired dogs, and asked in good English where we were bound before he would come on "
    "board at all."
)
TEXTS = st.text(st.sampled_from("ab 1+é漢."), max_size=12)


def plain(texts: Sequence[str] | pl.Series) -> pl.DataFrame:
    """A table of texts without prompts."""
    answer = pl.Series("answer", texts, dtype=pl.String)
    return answer.to_frame().with_columns(prompt=pl.lit(None, pl.String))


def are_two_near(one: str, other: str) -> bool:
    """Whether two texts without a prompt are near-duplicates."""
    sets = to_sets(plain([one, other]), CONFIG)
    return bool(are_near(np.array([[0, 1]]), sets, CONFIG)[0])


def find(texts: list[str], rank: list[int] | None = None) -> pl.DataFrame:
    """The rows of `to_clusters` for texts without prompts."""
    keys = to_keys(pl.Series(texts, dtype=pl.String), CONFIG)
    pairs = join_pairs(
        to_pairs(band, keys[:, :MARKS], CONFIG) for band in keys.T[MARKS:]
    )
    sets = to_sets(plain(texts), CONFIG)
    ranks = np.array(rank or [2] * len(texts))
    return to_clusters(pairs[are_near(pairs, sets, CONFIG)], ranks, sets, CONFIG)
