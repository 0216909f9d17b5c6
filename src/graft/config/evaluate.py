"""The section `evaluate`."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from graft.config.section import Count, Section, Seed


class MetricRequirement(Section):
    """Required bounds of a metric of the tuned model; bounds that are null are not
    checked.

    `min` and `max` bound its value. `min_difference` is the required gain over the
    base, in the direction that is better for the metric: the lower bound of the gain's
    95 % interval must be above it. A smaller significant difference counts as
    negligible.
    """

    min: float | None = None
    max: float | None = None
    min_difference: float | None = None

    @model_validator(mode="after")
    def _something_is_required(self) -> Self:
        bounds = (self.min, self.max, self.min_difference)
        if all(bound is None for bound in bounds):
            raise ValueError(
                "set min, max or min_difference, or null for no requirement"
            )
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min {self.min} is above max {self.max}")
        return self


class RequirementsConfig(Section):
    """Requirements on an adapter.

    `metrics` maps metrics of the task to bounds (null: no requirement). `min_examples`
    is the required number of test examples.
    """

    min_examples: Count
    metrics: dict[str, MetricRequirement | None]

    @property
    def min_differences(self) -> dict[str, float]:
        """The configured values of `min_difference`, by metric."""
        return {
            name: bounds.min_difference
            for name, bounds in self.metrics.items()
            if bounds is not None and bounds.min_difference is not None
        }


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
