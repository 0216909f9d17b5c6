"""The section `certificate`."""

from typing import Annotated, Literal

from pydantic import Field

from graft.config.section import Positive, Section, Share

WayName = Literal["evaluation", "pyfunc", "api", "adapter", "merged"]


class BudgetConfig(Section):
    """How far a way of using a version may be from its evaluation."""

    min_agreement: Share
    max_kl: Annotated[float, Field(ge=0)]
    max_metric_difference: Annotated[float, Field(ge=0)]


class CertificateConfig(Section):
    """What stage `certify` and `graft verify` compare, and the budgets."""

    num_prompts: Positive
    num_places: Positive
    ways: Annotated[list[WayName], Field(min_length=1)]
    same: BudgetConfig
    merged: BudgetConfig

    def budget(self, way: str) -> BudgetConfig:
        """The budget of a way."""
        return self.merged if way == "merged" else self.same
