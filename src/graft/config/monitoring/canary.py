"""The section `monitoring.canary`."""

from typing import Annotated

from pydantic import Field

from graft.config.section import Positive, Rate, Section


class CanaryAnalysisConfig(Section):
    """How a canary is compared with the champion on live traffic."""

    error_rate: Annotated[float, Field(gt=0, lt=0.5)]
    min_requests: Positive
    max_s: Rate
    every_s: Rate
