"""The verdict on a canary, with what it rests on."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from graft.monitoring.canary.sample_ratio import SampleRatio

State = Literal[
    "promote",
    "continue",
    "rollback",
    "inconclusive",
    "sample_ratio_mismatch",
    "no_data",
    "too_little_traffic",
    "failed",
]
Verdict = Literal["worse", "not_worse", "open", "not_judged", "no_data"]


@dataclass(frozen=True)
class MetricResult:
    """One metric of both groups.

    Rates are shares; times and lengths are geometric means at equal covariates, and
    their excess is a ratio.

    Args:
        canary, main: values of the groups.
        num_canary, num_main: values that they were computed from.
        excess: of the canary, in the direction that is worse.
        low: it is surely above, all metrics together, at any time.
        high: it is surely below.
        rollback, promote: the margins.
        evidence: decimal logarithm of the e-value against "not worse".
    """

    name: str
    meaning: str
    unit: Literal["points", "ratio"]
    role: Literal["canary", "split"]
    verdict: Verdict
    num_canary: int
    num_main: int
    canary: float | None = None
    main: float | None = None
    excess: float | None = None
    low: float | None = None
    high: float | None = None
    rollback: float | None = None
    promote: float | None = None
    evidence: float | None = None

    @property
    def sentence(self) -> str:
        """Both values, the excess and its bounds."""
        if self.excess is None:
            return f"{self.name}: no values of both groups"
        show = _percent if self.unit == "points" else _plain
        values = f"{show(self.canary)}, the champion's {show(self.main)}"
        return (
            f"{self.name}: {values}; excess {show(self.excess)}, "
            f"{show(self.low)} to {show(self.high)}"
        )


@dataclass(frozen=True)
class CanaryReport:
    """The verdict.

    Args:
        reason: of the state, in words.
        ends: whether the canary is to end now, without being promoted.
        canary, champion: versions, as NAME/NUMBER; None if unknown.
        since_ms: when the comparison begins; None without requests.
        num_canary, num_main: requests that were compared.
        clients_canary, clients_main: how many equally busy clients they count for.
        sample_ratio: the canary's share of clients; None if it cannot be checked.
        notes: limits of this analysis.
    """

    state: State
    reason: str
    ends: bool
    now_ms: int
    elapsed_s: float = 0.0
    canary: str | None = None
    champion: str | None = None
    since_ms: int | None = None
    num_canary: int = 0
    num_main: int = 0
    clients_canary: float = 0.0
    clients_main: float = 0.0
    sample_ratio: SampleRatio | None = None
    metrics: Sequence[MetricResult] = ()
    notes: Sequence[str] = field(default=())

    def to_json(self) -> Mapping[str, Any]:
        """As a JSON document, without values that JSON lacks."""
        document = asdict(self)
        document["metrics"] = [
            {n: _finite(v) for n, v in asdict(one).items()} for one in self.metrics
        ]
        document["notes"] = list(self.notes)
        return document


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.2f} %"


def _plain(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"
