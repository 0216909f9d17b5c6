"""The section `preprocess.pii`: the treatment of personal data."""

from typing import Annotated, Literal, Self, get_args

from pydantic import Field, model_validator

from graft.config.section import Count, Section

Kind = Literal["email", "phone", "iban", "card", "ip", "nir", "ssn", "itin", "account"]
Action = Literal["redact", "drop", "flag", "ignore"]
KINDS: tuple[Kind, ...] = get_args(Kind)
Region = Annotated[str, Field(pattern="^[A-Z]{2}$")]


class PiiConfig(Section):
    """The action for each kind of personal data.

    `redact` replaces it by a placeholder such as [EMAIL], `drop` drops the example, and
    `flag` only lists the example. `regions` are countries whose phone numbers are found
    without a country code. `unsure`: whether a borderline finding is kept, or treated
    like a certain one, until a person decides. `context`: characters that are shown on
    both sides of a finding in the review.
    """

    actions: dict[Kind, Action]
    regions: list[Region]
    unsure: Literal["keep", "act"]
    context: Count

    @model_validator(mode="after")
    def _each_kind_has_an_action(self) -> Self:
        if missing := [kind for kind in KINDS if kind not in self.actions]:
            raise ValueError(
                f"actions is missing {missing}; use ignore to switch a kind off"
            )
        return self
