"""The part of section `preprocess` that finds near-duplicates."""

from typing import Annotated, Literal

from pydantic import Field

from graft.config.section import Fraction, Positive, Section


class NearDuplicatesConfig(Section):
    """Definition of near-duplicates, and what is done with them.

    A text is the set of its shingles of `shingle` words. Two texts are near-duplicates
    if their Jaccard similarity is at least `threshold`, and if the longer one lacks at
    most a share of `max_replaced` of the shingles and of the numbers of the shorter
    one. Added words are therefore tolerated more than replaced ones.
    """

    policy: Literal["drop", "group", "ignore"]
    shingle: Positive
    num_permutations: Annotated[int, Field(ge=8, le=1024)]
    threshold: Annotated[float, Field(ge=0.3, le=1)]
    max_replaced: Fraction
