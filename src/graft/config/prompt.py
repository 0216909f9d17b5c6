"""The section `prompt`."""

import datetime
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, model_validator

from graft.config.section import Count, Section


def _iso(value: object) -> object:
    """A date as text; YAML parses an unquoted date as a date object."""
    return datetime.date.fromisoformat(str(value)).isoformat()


class PromptConfig(Section):
    """`chat` uses the model's own chat template; `pattern` is text with {source}.

    `paraphrases` are alternative prompts with {source}: each training example is also
    trained with `num_paraphrases` of them. `date` is the ISO date that replaces today's
    in a chat template, the same in training, evaluation and serving.
    """

    style: Literal["chat", "pattern"]
    pattern: str | None
    system: str | None
    paraphrases: list[str]
    num_paraphrases: Count
    date: Annotated[str, BeforeValidator(_iso)] | None

    @property
    def today(self) -> datetime.date | None:
        """`date` as a date object."""
        return None if self.date is None else datetime.date.fromisoformat(self.date)

    @model_validator(mode="after")
    def _pattern_has_a_source(self) -> Self:
        if self.style == "pattern" and "{source}" not in (self.pattern or ""):
            raise ValueError("style pattern needs a pattern that contains {source}")
        if self.style == "chat" and self.pattern is not None:
            raise ValueError("style chat has no pattern; set it to null")
        return self

    @model_validator(mode="after")
    def _paraphrases_have_a_source(self) -> Self:
        if mute := [text for text in self.paraphrases if "{source}" not in text]:
            raise ValueError(f"paraphrase {mute[0]!r} does not contain {{source}}")
        if self.num_paraphrases > len(self.paraphrases):
            raise ValueError(
                f"num_paraphrases {self.num_paraphrases} is more than the "
                f"{len(self.paraphrases)} paraphrases"
            )
        return self
