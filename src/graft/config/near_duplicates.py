"""The part of section `preprocess` that finds near-duplicates."""

from typing import Annotated, Literal

from pydantic import Field

from graft.config.section import Positive, Section


class NearDuplicatesConfig(Section):
    """What counts as a near-duplicate, and what is done with it.

    Texts are sets of `shingle` consecutive words; two are near-duplicates if the
    Jaccard similarity of their sets is at least `threshold`, and their numbers agree.
    """

    policy: Literal["drop", "group", "off"]
    shingle: Positive
    num_permutations: Annotated[int, Field(ge=8, le=1024)]
    threshold: Annotated[float, Field(ge=0.3, le=1)]
