"""Compare the scores of an adapter with `evaluate.requirements`."""

import math
import operator
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from graft.config import MetricRequirement, RequirementsConfig
from graft.errors import ModelError
from graft.evaluation.scoring import Scores
from graft.metrics import METRICS, Comparison, Metric

KEY = "evaluate.requirements"
MOST_DIGITS = 12
ALIASES: Mapping[str, Sequence[str]] = {
    "passed": ("challenger",),
    "none": ("challenger",),
    "failed": (),
}
"""Aliases of a version, by status; `graft.registry` decides on the alias champion."""


@dataclass(frozen=True)
class RequirementCheck:
    """One requirement: its key in params.yaml, and the found and required values in
    words."""

    key: str
    found: str
    required: str
    is_met: bool

    @property
    def sentence(self) -> str:
        """`BLEU is 0.48; at least 70 is required (KEY)`."""
        return f"{self.found}; {self.required} required ({KEY}.{self.key})"


@dataclass(frozen=True)
class Requirements:
    """All requirements, and whether they are met."""

    checks: Sequence[RequirementCheck]

    @property
    def failed(self) -> list[RequirementCheck]:
        """The requirements that are not met."""
        return [check for check in self.checks if not check.is_met]

    @property
    def status(self) -> Literal["passed", "failed", "none"]:
        """`none` if no metric has a bound: enough examples alone prove nothing."""
        if self.failed:
            return "failed"
        bounded = any(check.key.startswith("metrics.") for check in self.checks)
        return "passed" if bounded else "none"

    @property
    def aliases(self) -> Sequence[str]:
        """Aliases that the version gets in the registry."""
        return ALIASES[self.status]

    def to_report(self) -> dict[str, Any]:
        """The status, and lists of met and failed requirements."""
        return {
            "requirements": self.status,
            "requirements_met": [c.sentence for c in self.checks if c.is_met],
            "requirements_failed": [check.sentence for check in self.failed],
        }

    def enforce(self, adapter: str, version: str | None, page: str) -> None:
        """Raises: ModelError with found and required values of each failed
        requirement."""
        if not self.failed:
            return
        count = len(self.failed)
        state = f"registered as version {version}" if version else "not registered yet"
        raise ModelError(
            adapter,
            f"falls short of {count} requirement{'s' * (count > 1)}"
            + "".join(f"\n  - {check.sentence}" for check in self.failed),
            expected=f"all of {KEY}; it is {state} with the tag requirements: failed, "
            "and no alias",
            fix=f"look at its completions in {page} and improve the training (data, "
            "train.epochs, train.learning_rate); if the requirement is wrong for these "
            "data, change it in configs/ and run this again, which trains nothing",
        )


def check_requirements(
    config: RequirementsConfig | None, scores: Scores
) -> Requirements:
    """Compare each requirement with the scores.

    Metrics that were not computed, undefined values, and too few examples fail.
    """
    if config is None:
        return Requirements(())
    number = scores.num_examples
    checks = [
        RequirementCheck(
            "min_examples",
            f"{number:,} test example{'s' * (number != 1)} scored",
            f"at least {config.min_examples:,}",
            number >= config.min_examples,
        )
    ]
    for name, bounds in config.metrics.items():
        if bounds is not None:
            checks += _check(name, bounds, scores)
    return Requirements(tuple(checks))


def _check(
    name: str, bounds: MetricRequirement, scores: Scores
) -> Iterator[RequirementCheck]:
    metric, found = METRICS.get(name), scores.overall.get(name)
    if metric is None or found is None:
        reason = scores.not_computed.get(name, "it is not in evaluate.metrics")
        yield RequirementCheck(
            f"metrics.{name}", f"{name} not computed: {reason}", "it is", False
        )
        return
    value = found.tuned.value
    for kind, bound, words, is_within in (
        ("min", bounds.min, "at least", operator.ge),
        ("max", bounds.max, "at most", operator.le),
    ):
        if bound is not None:
            yield RequirementCheck(
                f"metrics.{name}.{kind}",
                f"{metric.title} is {shown(value, bound)}",
                f"{words} {bound:.10g}",
                is_within(value, bound),
            )
    if bounds.min_difference is not None:
        yield _check_gain(name, bounds.min_difference, metric, found)


def _check_gain(
    name: str, least: float, metric: Metric, found: Comparison
) -> RequirementCheck:
    """Check the gain over the base: the difference in the direction that is better."""
    rises = metric.better != "lower"
    difference = found.difference
    gain = difference.value if rises else -difference.value
    lowest = difference.low if rises else -difference.high
    return RequirementCheck(
        f"metrics.{name}.min_difference",
        f"{metric.title} gains {shown(gain, least)} over the base, with 95 % "
        f"confidence more than {shown(lowest, least)}",
        f"more than {least:.10g}",
        not math.isnan(gain) and lowest > least,
    )


def shown(value: float, bound: float) -> str:
    """A value with two digits, or more if rounding would move it to or beyond its
    bound."""
    if not math.isfinite(value):
        return "undefined" if math.isnan(value) else f"{value}"
    digits = 2
    while digits < MOST_DIGITS and _side(round(value, digits), bound) != _side(
        value, bound
    ):
        digits += 1
    return f"{value:,.{digits}f}"


def _side(value: float, bound: float) -> int:
    return (value > bound) - (value < bound)
