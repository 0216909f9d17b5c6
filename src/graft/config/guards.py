"""Items of `serving.guards`."""

from typing import Annotated, Literal

from pydantic import Field

from graft.config.pii import Region
from graft.config.section import Positive, Section

Name = Annotated[str, Field(min_length=1)]


class PersonalDataGuard(Section):
    """Replaces personal data in answers by [EMAIL], [PHONE], …

    `regions` are countries whose telephone numbers are found without a country code.
    """

    kind: Literal["personal_data"]
    regions: list[Region]


class BlockListGuard(Section):
    """Ends an answer before a word or phrase of a file, one a line."""

    kind: Literal["block_list"]
    file: Name


class MaxCharsGuard(Section):
    """Ends an answer after so many characters."""

    kind: Literal["max_chars"]
    limit: Positive


GuardConfig = Annotated[
    PersonalDataGuard | BlockListGuard | MaxCharsGuard, Field(discriminator="kind")
]
