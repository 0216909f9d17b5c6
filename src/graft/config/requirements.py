"""What an adapter must reach: the part `requirements` of section `evaluate`."""

from typing import Self

from pydantic import model_validator

from graft.config.section import Count, Section


class MetricRequirement(Section):
    """Bounds of one metric of the tuned model; a bound that is left out is not checked.

    `min` and `max` bound its value. `min_difference` is what it must gain over the
    base, in the direction that is better for it: the lower bound of the gain's 95 %
    interval must be above. A significant difference below it is called negligible.
    """

    min: float | None = None
    max: float | None = None
    min_difference: float | None = None

    @model_validator(mode="after")
    def _something_is_required(self) -> Self:
        bounds = (self.min, self.max, self.min_difference)
        if all(bound is None for bound in bounds):
            raise ValueError("give min, max or min_difference, or null for nothing")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min {self.min} is above max {self.max}")
        return self


class RequirementsConfig(Section):
    """`metrics` gives a metric of the task its bounds; null requires nothing of it."""

    min_examples: Count
    metrics: dict[str, MetricRequirement | None]

    @property
    def min_differences(self) -> dict[str, float]:
        """By metric, the smallest difference that matters, where one is given."""
        return {
            name: bounds.min_difference
            for name, bounds in self.metrics.items()
            if bounds is not None and bounds.min_difference is not None
        }
