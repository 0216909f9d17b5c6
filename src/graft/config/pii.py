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

    `redact` replaces personal data by a placeholder such as [EMAIL], `drop` drops the
    example, `flag` only lists it in the review file, and `ignore` does nothing.
    `regions` are countries whose phone numbers are detected without a country code.
    `unsure` determines the treatment of a borderline finding until a reviewer decides:
    `keep` leaves the text unchanged, `act` treats it as a certain finding. `context` is
    the number of characters shown on each side of a finding in the review file.
    """

    actions: dict[Kind, Action]
    regions: list[Region]
    unsure: Literal["keep", "act"]
    context: Count

    @model_validator(mode="after")
    def _each_kind_has_an_action(self) -> Self:
        if missing := [kind for kind in KINDS if kind not in self.actions]:
            raise ValueError(
                f"actions is missing {missing}; set these to ignore to disable them"
            )
        return self
