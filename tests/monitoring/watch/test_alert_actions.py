"""From alerts to actions: once each, not too often, and again after a failure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from alertmanager_alerts import alert
from hypothesis import given
from hypothesis import strategies as st

from graft.errors import StorageError
from graft.monitoring.watch.action_log import ActionLog
from graft.monitoring.watch.actions import ActionLimits, AlertActions
from graft.monitoring.watch.values import MetricValues

LIMITS = ActionLimits(max_actions=3, period_s=3600, cooldown_s=600)


@dataclass
class Champions:
    """A registry whose champions were 1, 2, … in this order."""

    champion: int = 9
    canary: int | None = 10
    broken: bool = False
    told: list[Mapping[str, Any]] = field(default_factory=list)
    now_s: float = 1e9

    def roll_back(self, version: str, _reason: str) -> str | None:
        if self.broken:
            raise OSError("the registry does not respond")
        if version != f"m/{self.champion}":
            return None
        self.champion -= 1
        return "rolled back"

    def end_canary(self, version: str, _reason: str) -> str | None:
        if version != f"m/{self.canary}":
            return None
        self.canary = None
        return "ended"


def actions_of(registry: Champions, file: Path) -> AlertActions:
    return AlertActions(
        {"rollback": registry.roll_back, "end_canary": registry.end_canary},
        ActionLog(file, lambda: registry.now_s),
        LIMITS,
        MetricValues(),
        registry.told.append,
    )


def test_an_alert_that_is_sent_again_acts_once(tmp_path: Path) -> None:
    registry, one = Champions(), alert("rollback", "m/9")
    actions = actions_of(registry, tmp_path / "a/b.json")
    assert [actions.handle(one) for _ in range(3)] == ["done", "repeated", "repeated"]
    assert registry.champion == 8
    assert [told["outcome"] for told in registry.told] == ["done"]


def test_after_a_restart_nothing_is_done_twice(tmp_path: Path) -> None:
    registry, one = Champions(), alert("rollback", "m/9")
    actions_of(registry, tmp_path / "done.json").handle(one)
    registry.champion = 9  # even if somebody has promoted it again
    assert actions_of(registry, tmp_path / "done.json").handle(one) == "repeated"
    assert registry.champion == 9


def test_a_failed_action_is_tried_again_when_the_alert_is_sent_again(
    tmp_path: Path,
) -> None:
    registry, one = Champions(broken=True), alert("rollback", "m/9")
    actions = actions_of(registry, tmp_path / "done.json")
    assert actions.handle(one) == "failed"
    registry.broken = False
    assert actions.handle(one) == "done"
    text = actions.values.to_text().decode()
    assert 'alerts_received_total{alert="Rule",outcome="failed"} 1.0' in text
    assert 'alerts_received_total{alert="Rule",outcome="done"} 1.0' in text
    assert [told["outcome"] for told in registry.told] == ["failed", "done"]


def test_an_alert_about_an_earlier_champion_changes_nothing(tmp_path: Path) -> None:
    registry = Champions()
    actions = actions_of(registry, tmp_path / "done.json")
    assert actions.handle(alert("rollback", "m/7")) == "not_needed"
    assert registry.champion == 9 and not registry.told


def test_a_rollback_is_followed_by_a_pause(tmp_path: Path) -> None:
    registry = Champions()
    actions = actions_of(registry, tmp_path / "done.json")
    assert actions.handle(alert("rollback", "m/9")) == "done"
    again = alert("rollback", "m/8")
    registry.now_s += 599
    assert actions.handle(again) == "limited"
    registry.now_s += 2
    assert actions.handle(again) == "done"


def test_the_pause_does_not_keep_a_bad_canary(tmp_path: Path) -> None:
    registry = Champions()
    actions = actions_of(registry, tmp_path / "done.json")
    assert actions.handle(alert("rollback", "m/9")) == "done"
    assert actions.handle(alert("end_canary", "m/10")) == "done"
    assert registry.canary is None


@given(
    events=st.lists(
        st.tuples(st.integers(1, 9), st.floats(0, 400), st.integers(0, 5)), max_size=60
    )
)
def test_in_a_storm_the_champion_changes_seldom(
    events: list[tuple[int, float, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    registry = Champions()
    actions = actions_of(registry, tmp_path_factory.mktemp("storm") / "done.json")
    changes: list[float] = []
    for version, pause_s, start in events:
        registry.now_s += pause_s
        before = registry.champion
        actions.handle(alert("rollback", f"m/{version}", start))
        if registry.champion != before:
            changes.append(registry.now_s)
    for early, late in zip(changes, changes[1:], strict=False):
        assert late - early >= LIMITS.cooldown_s
    for place, at in enumerate(changes):
        last = [one for one in changes[: place + 1] if one > at - LIMITS.period_s]
        assert len(last) <= LIMITS.max_actions


def test_other_alerts_are_counted_and_do_nothing(tmp_path: Path) -> None:
    registry = Champions()
    actions = actions_of(registry, tmp_path / "done.json")
    assert actions.handle(alert("none", "m/9")) == "noted"
    assert actions.handle(alert("format_disk", "m/9")) == "noted"
    assert actions.handle(alert("rollback", "m/9", status="resolved")) == "resolved"
    assert actions.handle(alert("rollback", None)) == "failed"
    assert registry.champion == 9


def test_a_damaged_file_of_actions_is_refused(tmp_path: Path) -> None:
    (tmp_path / "done.json").write_text('{"half', encoding="utf-8")
    with pytest.raises(StorageError, match="is not the file of actions"):
        ActionLog(tmp_path / "done.json")
