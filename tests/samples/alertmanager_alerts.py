"""Alerts as Alertmanager sends them."""

from typing import Any

from graft.monitoring.watch.alerts import Alert


def alert_body(
    action: str, version: str | None, start: int = 0, status: str = "firing"
) -> dict[str, Any]:
    """One alert of a document."""
    labels = {"alertname": "Rule", "action": action, "severity": "critical"}
    if version is not None:
        labels["version"] = version
    return {
        "status": status,
        "labels": labels,
        "annotations": {"summary": "too many failures"},
        "startsAt": f"2026-11-27T10:00:{start:02}.123Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus/graph",
        "fingerprint": f"{hash((action, version)) % 2**64:016x}",
    }


def alert(
    action: str, version: str | None, start: int = 0, status: str = "firing"
) -> Alert:
    """The same, as it is read."""
    return Alert.model_validate(alert_body(action, version, start, status))


def group_body(*alerts: dict[str, Any]) -> dict[str, Any]:
    """A document."""
    return {
        "version": "4",
        "groupKey": "{}:{}",
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "graft-watch",
        "groupLabels": {},
        "commonLabels": {},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager",
        "alerts": list(alerts),
    }
