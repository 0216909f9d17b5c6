"""Repeated analyses as metrics, with fakes for what analyses."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graft.monitoring.names import Metric, Watch
from graft.monitoring.watch.analyses import CanaryWatch, DriftWatch
from graft.monitoring.watch.values import MetricValues


@dataclass(frozen=True)
class Canary:
    state: str
    canary: str | None = "m/2"
    reason: str = "why"
    num_canary: int = 7
    num_main: int = 70


@dataclass(frozen=True)
class Drift:
    state: str
    features: Mapping[str, float]

    def to_metrics(self) -> Iterator[tuple[Metric, Mapping[str, str], float]]:
        yield Watch.DRIFT_WINDOW, {}, 500
        for name, value in self.features.items():
            yield Watch.DRIFT_DETECTED, {"feature": name}, value


def lines(values: MetricValues, name: str) -> list[str]:
    text = values.to_text().decode().splitlines()
    return [line for line in text if line.startswith(name)]


def state_of(values: MetricValues) -> list[str]:
    found = lines(values, Watch.CANARY_STATE.name)
    return [line.split('"')[1] for line in found if line.endswith(" 1.0")]


def test_one_state_is_shown_and_a_change_is_told_once() -> None:
    told: list[Mapping[str, Any]] = []
    states = [Canary("continue"), Canary("continue"), Canary("rollback"), None, None]
    values, steps = MetricValues(), iter(states)
    watch = CanaryWatch(lambda: next(steps), values, told.append, lambda: 9.0)
    shown = []
    for _ in states:
        watch.work()
        shown += state_of(values)
    assert shown == ["continue", "continue", "rollback", "rollback", "rollback"]
    assert [one["state"] for one in told] == ["continue", "rollback"]


def test_a_mismatch_is_shown_after_the_canary_has_ended() -> None:
    steps = iter([Canary("sample_ratio_mismatch"), None, Canary("continue"), None])
    values, shown = MetricValues(), list[str]()
    watch = CanaryWatch(lambda: next(steps), values, lambda _: None)
    for _ in range(4):
        watch.work()
        shown += state_of(values)
    assert shown == ["sample_ratio_mismatch"] * 2 + ["continue", "none"]


def test_an_analysis_that_fails_is_a_state_and_no_success() -> None:
    values = MetricValues()
    watch = CanaryWatch(lambda: Canary("failed"), values, lambda _: None)
    watch.work()
    watch.failed(ValueError("broken"))
    assert state_of(values) == ["failed"]
    assert not lines(values, Watch.CANARY_TIME.name)


def test_features_of_an_earlier_window_do_not_stay() -> None:
    values = MetricValues()
    found = [Drift("drifted", {"language": 1}), Drift("too_few_requests", {})]
    windows, times = iter(found), iter([5.0, 6.0])
    watch = DriftWatch(lambda: next(windows), values, lambda: next(times))
    watch.work()
    assert lines(values, Watch.DRIFT_DETECTED.name) == [
        'graft_drift_detected{feature="language"} 1.0'
    ]
    watch.work()
    assert not lines(values, Watch.DRIFT_DETECTED.name)
    (time_line,) = lines(values, Watch.DRIFT_TIME.name)
    assert time_line.endswith(" 5.0")
    watch.failed(OSError("gone"))
    assert not lines(values, Watch.DRIFT.name + "{")
