"""What a text must be like to teach: the section `preprocess.quality`."""

from typing import Literal

from pydantic import Field

from graft.config.section import Positive, Section, Share

Side = Literal["user", "assistant"]


class LanguageConfig(Section):
    """Which language a side must be in, and how sure a reject is.

    `expected` gives a side its ISO 639-1 code, or `stratum`: each row's stratum is the
    code. `min_bytes` and `min_margin` are explained in `graft.data.preprocess.languages`.
    """

    expected: dict[Side, str]
    min_bytes: Positive
    min_margin: Share


class QualityConfig(Section):
    """Rules over messages; null or false turns one off. Shares are of characters.

    `placeholders` are whole messages, without regard to case; one that ends in `*`
    is how a message begins.
    """

    max_repetition: float | None = Field(ge=0.5, le=1)
    placeholders: list[str]
    lost_characters: Literal["drop", "keep"]
    min_letters: Share | None
    same_numbers: bool
    language: LanguageConfig | None
