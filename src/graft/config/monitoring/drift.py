"""The section `monitoring.drift`."""

from typing import Annotated

from pydantic import Field

from graft.config.section import Positive, Rate, Section


class DriftConfig(Section):
    """When the requests of a window differ from the training data."""

    false_alarm_rate: Annotated[float, Field(gt=0, lt=0.5)]
    min_requests: Positive
    window_requests: Positive
    take_every: Positive
    every_s: Rate
