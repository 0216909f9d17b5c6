"""The section `preprocess.near_duplicates`: detection of near-duplicates."""

from typing import Annotated, Literal

from pydantic import Field

from graft.config.section import Fraction, Positive, Section


class NearDuplicatesConfig(Section):
    """Definition of near-duplicates, and their treatment (`policy`).

    A text is the set of its shingles of `shingle` words. Two texts are near-duplicates
    if their Jaccard similarity is at least `threshold`, and if at most a share of
    `max_replaced` of the shorter text's shingles, and of its numbers, is missing in the
    longer text. Added words are therefore tolerated more than replaced words.
    `num_permutations` is the number of hash functions of MinHash.
    """

    policy: Literal["drop", "group", "ignore"]
    shingle: Positive
    num_permutations: Annotated[int, Field(ge=8, le=1024)]
    threshold: Annotated[float, Field(ge=0.3, le=1)]
    max_replaced: Fraction
