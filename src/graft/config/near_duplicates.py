"""The part of section `preprocess` that finds near-duplicates."""

from typing import Annotated, Literal

from pydantic import Field

from graft.config.section import Fraction, Positive, Section


class NearDuplicatesConfig(Section):
    """What counts as a near-duplicate, and what is done with it.

    A text is the set of its runs of `shingle` words. Two are near-duplicates if the
    share of all their runs that both have (Jaccard) is at least `threshold`, and the
    other text has all but `max_replaced` of the runs and of the numbers of the one
    with fewer. So a text may gain more than it may have replaced.
    """

    policy: Literal["drop", "group", "ignore"]
    shingle: Positive
    num_permutations: Annotated[int, Field(ge=8, le=1024)]
    threshold: Annotated[float, Field(ge=0.3, le=1)]
    max_replaced: Fraction
