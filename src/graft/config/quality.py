"""The section `preprocess.quality`: requirements on texts."""

from typing import Literal

from pydantic import Field

from graft.config.section import Positive, Section, Share

Side = Literal["user", "assistant"]


class LanguageConfig(Section):
    """The language of each side, and the confidence needed for a reject.

    `expected` maps a side to an ISO 639-1 code, or to `stratum` if the stratum of each
    row is its code. `min_bytes` and `min_margin` are explained in
    `graft.data.preprocess.languages`.
    """

    expected: dict[Side, str]
    min_bytes: Positive
    min_margin: Share


class QualityConfig(Section):
    """Rules for messages; null or false disables a rule. Shares are of characters.

    `placeholders` are complete messages, compared without regard to case; a placeholder
    that ends in `*` matches the beginning of a message.
    """

    max_repetition: float | None = Field(ge=0.5, le=1)
    placeholders: list[str]
    lost_characters: Literal["drop", "keep"]
    min_letters: Share | None
    same_numbers: bool
    language: LanguageConfig | None
