"""Analyses that `graft watch` repeats, as metrics and notifications."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from graft.monitoring.names import Metric, Watch
from graft.monitoring.watch.values import MetricValues

Notify = Callable[[Mapping[str, Any]], None]
CANARY_STATES = (
    *("none", "promote", "continue", "rollback", "inconclusive"),
    *("sample_ratio_mismatch", "no_data", "too_little_traffic", "failed"),
)
"""`none`: there is no canary."""
LASTING_STATES = ("rollback", "sample_ratio_mismatch")
"""They end a canary at once, and stay until the next, so that their alerts are seen."""
DRIFT_ANSWERS = ("drifted", "no_drift")
"""States of a drift analysis that is complete."""


class DriftFound(Protocol):
    """What a drift analysis found."""

    @property
    def state(self) -> str:
        """`drifted`, `no_drift`, or why there is no answer."""

    def to_metrics(self) -> Iterable[tuple[Metric, Mapping[str, str], float]]:
        """Values of the metrics of drift."""


class CanaryFound(Protocol):
    """What a canary analysis found."""

    @property
    def state(self) -> str:
        """One of `CANARY_STATES`."""

    @property
    def reason(self) -> str:
        """Of the state, in words."""

    @property
    def canary(self) -> str | None:
        """The version."""

    @property
    def num_canary(self) -> int:
        """Requests of the canary."""

    @property
    def num_main(self) -> int:
        """Requests of the champion."""


@dataclass
class DriftWatch:
    """Repeats the drift analysis.

    Args:
        analyse: one window.
    """

    analyse: Callable[[], DriftFound]
    values: MetricValues
    clock: Callable[[], float] = time.time

    def work(self) -> None:
        """Analyse once; values of an earlier window do not stay."""
        found = self.analyse()
        series: dict[Metric, dict[tuple[str, ...], float]] = {
            Watch.DRIFT: {},
            Watch.DRIFT_THRESHOLD: {},
            Watch.DRIFT_DETECTED: {},
        }
        for metric, labels, value in found.to_metrics():
            names = tuple(labels[name] for name in metric.labels)
            series.setdefault(metric, {})[names] = value
        for metric, values in series.items():
            self.values.replace(metric, values)
        if found.state in DRIFT_ANSWERS:
            self.values.set(Watch.DRIFT_TIME, self.clock())

    def failed(self, _error: Exception) -> None:
        """Nothing is known: no feature is shown as free of drift."""
        for metric in (Watch.DRIFT, Watch.DRIFT_THRESHOLD, Watch.DRIFT_DETECTED):
            self.values.replace(metric, {})


@dataclass
class CanaryWatch:
    """Repeats the canary analysis, and what follows from it.

    Args:
        step: analyses once and acts on the verdict, for which it must be enough that
            the same verdict comes again; None: there is no canary.
    """

    step: Callable[[], CanaryFound | None]
    values: MetricValues
    notify: Notify
    clock: Callable[[], float] = time.time
    _last: tuple[str | None, str] = field(default=(None, "none"), repr=False)

    def work(self) -> None:
        """Analyse once."""
        found = self.step()
        if found is None:
            state = self._last[1] if self._last[1] in LASTING_STATES else "none"
            self._show(state, 0, 0)
        else:
            self._show(found.state, found.num_canary, found.num_main)
            self._tell(found)
        if found is None or found.state != "failed":
            self.values.set(Watch.CANARY_TIME, self.clock())

    def failed(self, _error: Exception) -> None:
        """The analysis itself does not work: a state that never promotes."""
        self._show("failed", 0, 0)

    def _show(self, state: str, num_canary: int, num_main: int) -> None:
        for name in CANARY_STATES:
            self.values.set(Watch.CANARY_STATE, float(name == state), name)
        self.values.set(Watch.CANARY_REQUESTS, num_canary, "canary")
        self.values.set(Watch.CANARY_REQUESTS, num_main, "main")

    def _tell(self, found: CanaryFound) -> None:
        now = (found.canary, found.state)
        if now != self._last:
            self.notify(
                {
                    "event": "canary",
                    "version": found.canary,
                    "state": found.state,
                    "reason": found.reason,
                }
            )
        self._last = now
