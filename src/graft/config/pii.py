"""The section that says which personal data are looked for, and what becomes of it."""

from typing import Annotated, Literal, Self, get_args

from pydantic import Field, model_validator

from graft.config.section import Count, Section

Kind = Literal["email", "phone", "iban", "card", "ip", "nir", "ssn", "itin", "account"]
Action = Literal["redact", "drop", "flag", "ignore"]
KINDS: tuple[Kind, ...] = get_args(Kind)
Region = Annotated[str, Field(pattern="^[A-Z]{2}$")]


class PiiConfig(Section):
    """What is done about each kind of personal data.

    `redact` puts a placeholder such as [EMAIL] in its place, `drop` drops the example,
    `flag` only names the example. `regions` are those whose phone numbers are known
    without a country code. `unsure` says whether a borderline finding is left alone or
    treated like a sure one until a person decides; `context` is how many characters
    either side of it that person sees.
    """

    actions: dict[Kind, Action]
    regions: list[Region]
    unsure: Literal["keep", "act"]
    context: Count

    @model_validator(mode="after")
    def _each_kind_has_an_action(self) -> Self:
        if missing := [kind for kind in KINDS if kind not in self.actions]:
            raise ValueError(f"actions lacks {missing}; ignore switches a kind off")
        return self
