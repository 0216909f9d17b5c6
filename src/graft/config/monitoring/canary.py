"""The section `monitoring.canary`."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from graft.config.section import Positive, Rate, Section

Points = Annotated[float, Field(ge=0, lt=1)] | None
Ratio = Annotated[float, Field(ge=1, allow_inf_nan=False)] | None


class RateMargin(Section):
    """Of a share of requests: by how much the canary's may exceed the champion's.

    Surely more than `rollback`: the canary is rolled back. Surely less than `promote`
    in each metric: it may be promoted. null: the metric has no such say.
    """

    rollback: Points
    promote: Points

    @model_validator(mode="after")
    def _leaves_a_verdict(self) -> Self:
        if None not in (self.rollback, self.promote):
            if not (self.rollback or 0.0) <= (self.promote or 0.0) or not self.promote:
                raise ValueError("promote must be above 0, and at least rollback")
        return self


class RatioMargin(Section):
    """Of a time or length: the ratio of the canary's geometric mean to the champion's.

    For what is worse if it is less, it is the champion's mean to the canary's.
    """

    rollback: Ratio
    promote: Ratio

    @model_validator(mode="after")
    def _leaves_a_verdict(self) -> Self:
        if None not in (self.rollback, self.promote):
            if not (self.rollback or 1.0) <= (self.promote or 1.0) or self.promote == 1:
                raise ValueError("promote must be above 1, and at least rollback")
        return self


class CanaryMargins(Section):
    """The margins of each metric (docs/CANARY.md)."""

    errors: RateMargin
    client_errors: RateMargin
    abandoned: RateMargin
    guarded: RateMargin
    truncated: RateMargin
    refusals: RateMargin
    repetitive: RateMargin
    bad_ratings: RateMargin
    first_token: RatioMargin
    per_token: RatioMargin
    duration: RatioMargin
    longer: RatioMargin
    shorter: RatioMargin


class SplitMargins(Section):
    """By how much prompts of both groups may differ before the split is broken."""

    prompt_tokens: Ratio
    language: Points


class CanaryAnalysisConfig(Section):
    """How a canary is compared with the champion on live traffic."""

    error_rate: Annotated[float, Field(gt=0, lt=0.5)]
    min_requests: Positive
    min_clients: Positive
    max_s: Rate
    every_s: Rate
    promote: bool
    margins: CanaryMargins
    split: SplitMargins
