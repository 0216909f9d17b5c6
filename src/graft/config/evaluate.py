"""The section `evaluate`."""

from typing import Annotated

from pydantic import Field

from graft.config.requirements import RequirementsConfig
from graft.config.section import Count, Section, Seed


class EvaluateConfig(Section):
    """The metrics, each with a 95 % bootstrap interval; models are ranked by the first.

    An adapter that does not meet `requirements` gets no alias, and the stage fails;
    null: no requirements.
    """

    metrics: list[str]
    num_resamples: Annotated[int, Field(ge=100)]
    num_samples: Count
    seed: Seed
    requirements: RequirementsConfig | None

    @property
    def min_differences(self) -> dict[str, float]:
        """Smallest relevant differences, by metric."""
        return self.requirements.min_differences if self.requirements else {}
