"""What a drift analysis found."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

from graft.monitoring.names import Metric, Watch

State = Literal["drifted", "no_drift", "too_few_requests", "failed"]
STATES: dict[State, str] = {
    "drifted": "the requests differ from the training data",
    "no_drift": "no difference that chance does not explain",
    "too_few_requests": "unknown: too few requests for an answer",
    "failed": "unknown: the analysis failed",
}


@dataclass(frozen=True)
class Bar:
    """A bin in a plot: its range or category, and the share of each side in it."""

    label: str
    reference: float
    window: float


@dataclass(frozen=True)
class FeatureDrift:
    """One feature.

    Args:
        distance: name of the statistic, `ks` or `jensen_shannon`.
        statistic: 0 to 1.
        threshold: above it the feature has drifted.
        p_value: by permutation, adjusted for the number of features.
        psi, alone: see `Distances`; `alone` is the asymptotic p-value.
        means: of the reference and of the window; None if it is no number.
        bars: of a plot; none for hashes.
    """

    feature: str
    distance: Literal["ks", "jensen_shannon"]
    statistic: float
    threshold: float
    p_value: float
    drifted: bool
    psi: float
    alone: float | None
    means: tuple[float, float] | None
    bars: tuple[Bar, ...]


@dataclass(frozen=True)
class Moved:
    """A row of the window that is unlike the training data.

    Args:
        row: its index among the rows that were passed.
        score: log of how much more likely its drifted features are in the window than
            in the reference; mean over these features, in nats.
    """

    row: int
    score: float


@dataclass(frozen=True)
class DriftReport:
    """The outcome for one window.

    Args:
        reason: in words, if there is no answer.
        num_requests: of the window, those with features.
        num_reference: rows of the profile.
        num_prompts: of the training split.
        false_alarm_rate: of the window, over all features.
        p_value: of the smallest over all features; None without an answer.
        features: the most certain first.
        moved: rows above the 95 % quantile of the reference, the highest first.
    """

    state: State
    reason: str
    num_requests: int
    num_reference: int
    num_prompts: int
    false_alarm_rate: float
    p_value: float | None = None
    features: tuple[FeatureDrift, ...] = ()
    moved: tuple[Moved, ...] = ()

    @property
    def drifted(self) -> list[FeatureDrift]:
        """The features that have drifted."""
        return [one for one in self.features if one.drifted]

    def to_json(self) -> dict[str, Any]:
        """As a JSON document."""
        return asdict(self)

    def to_metrics(self) -> Iterator[tuple[Metric, dict[str, str], float]]:
        """Values of the metrics `Watch.DRIFT…` but for the time of the analysis, which
        its caller has. A report without an answer has no statistics: old ones must not
        stay."""
        yield Watch.DRIFT_WINDOW, {}, self.num_requests
        for one in self.features:
            labels = {"feature": one.feature}
            yield Watch.DRIFT, labels, one.statistic
            yield Watch.DRIFT_THRESHOLD, labels, one.threshold
            yield Watch.DRIFT_DETECTED, labels, float(one.drifted)


def failed(reason: str) -> DriftReport:
    """The report of an analysis that could not be made, such as for want of a profile
    or a readable log."""
    return DriftReport("failed", reason, 0, 0, 0, 0.0)
