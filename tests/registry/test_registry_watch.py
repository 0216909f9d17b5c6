"""What `graft watch` does in a real registry."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from registered_versions import Registered, predict

from graft.config import GatedRegistryConfig
from graft.errors import TrackingError
from graft.monitoring.watch.values import MetricValues
from graft.registry.decisions import Decision
from graft.registry.loading import start_decision
from graft.registry.log import DecisionLog
from graft.serving.registry_watch import VIA, RegistryActions, RegistryWatch
from graft.tracking.versions import RegisteredVersion

# MLflow uses what SQLAlchemy deprecates.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(name="actions")
def _actions(registry: GatedRegistryConfig, registered: Registered) -> RegistryActions:
    """Of a registry whose champion is version 2, after 1; 3 is the challenger."""
    for _ in range(3):
        registered.add(predict(0.1))
    registered.client.set_registered_model_alias("model", "champion", "1")
    log = DecisionLog.open(registry)
    version = log.versions.find("2")

    def promote(_: object, champion: RegisteredVersion | None) -> Decision:
        made = start_decision(log, version, champion, "a test", "better")
        return replace(made, action="promote")

    log.record(promote)
    return RegistryActions(registry, "challenger")


def test_an_alert_about_the_champion_gives_the_alias_back_with_its_reason(
    actions: RegistryActions, registered: Registered, registry: GatedRegistryConfig
) -> None:
    assert actions.roll_back("model/2", "Errors: many failed") == "champion: 2 → 1"
    assert registered.champion == "1"
    last = DecisionLog.open(registry).read()[-1]
    assert (last.action, last.via, last.reason) == (
        "rollback",
        "graft watch",
        "Errors: many failed",
    )
    assert registered.tags("2")["rolled_back.reason"] == "Errors: many failed"


def test_an_alert_about_another_version_changes_nothing(
    actions: RegistryActions, registered: Registered
) -> None:
    for version in ("model/1", "model/3", "other/2", "2", ""):
        assert actions.roll_back(version, "late") is None
    assert registered.champion == "2"


def test_without_a_champion_before_a_rollback_is_an_error(
    registry: GatedRegistryConfig, registered: Registered
) -> None:
    registered.add(predict(0.1))
    registered.client.set_registered_model_alias("model", "champion", "1")
    with pytest.raises(TrackingError, match="no champion before"):
        RegistryActions(registry, "challenger").roll_back("model/1", "errors")


def test_only_the_canary_in_the_alert_ends(
    actions: RegistryActions, registered: Registered, registry: GatedRegistryConfig
) -> None:
    assert actions.end_canary("model/2", "errors") is None
    assert actions.end_canary("other/3", "errors") is None
    assert actions.end_canary("model/3", "errors") == "challenger: 3 → none"
    assert actions.end_canary("model/3", "errors") is None
    assert registered.tags("3")["canary_ended.reason"] == "errors"
    assert registered.champion == "2"
    last = DecisionLog.open(registry).read()[-1]
    assert (last.action, last.to_version, last.via) == ("end_canary", "3", VIA)
    assert last.failed == ["canary alert"]


def test_a_champion_that_is_also_challenger_is_not_ended(
    actions: RegistryActions, registered: Registered
) -> None:
    registered.client.set_registered_model_alias("model", "challenger", "2")
    assert actions.end_canary("model/2", "errors") is None


def test_new_decisions_are_told_once_and_old_ones_never(
    actions: RegistryActions, registry: GatedRegistryConfig
) -> None:
    told: list[Mapping[str, Any]] = []
    values = MetricValues()
    watch = RegistryWatch(registry, values, told.append)
    watch.read()
    assert not told
    actions.roll_back("model/2", "errors")
    watch.read()
    watch.read()
    assert [one["decision"]["reason"] for one in told] == ["errors"]
    text = values.to_text().decode()
    assert 'graft_registry_champion_info{version="model/1"} 1.0' in text
    assert 'graft_registry_decisions_total{action="rollback"} 1.0' in text
    watch.failed(OSError("gone"))
    assert "graft_registry_up 0.0" in values.to_text().decode()
