"""From an alert to its action: once, not too often, and counted."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Literal

from graft.monitoring.names import Watch
from graft.monitoring.watch.action_log import ActionLog
from graft.monitoring.watch.alerts import Alert
from graft.monitoring.watch.values import MetricValues

LOGGER = logging.getLogger("graft.watch")
Outcome = Literal[
    "done", "not_needed", "repeated", "limited", "failed", "noted", "resolved"
]
"""What followed: `not_needed`: its version no longer has the alias; `limited`: there
were too many actions; `noted`: the alert needs no action."""
Action = Callable[[str, str], str | None]
"""Acts on a version (NAME/NUMBER) for a reason; what it did, None: nothing was to do.
It must do nothing if the version does not have the alias (any more)."""
MOST_NAMES = 100
"""Names of alerts that are counted one by one."""


@dataclass(frozen=True)
class ActionLimits:
    """How often something may be done.

    Args:
        max_actions: of all kinds within `period_s`.
        cooldown_s: after a rollback, in which there is no other.
    """

    max_actions: int
    period_s: float
    cooldown_s: float


@dataclass
class AlertActions:
    """Acts on alerts, one after the other.

    Args:
        actions: by the value of the label `action`.
        log: of what was done.
        values: counts the outcomes.
        notify: receives a document for each action and each failure.
    """

    actions: Mapping[str, Action]
    log: ActionLog
    limits: ActionLimits
    values: MetricValues
    notify: Callable[[Mapping[str, Any]], None]
    _lock: Lock = field(default_factory=Lock, repr=False)
    _names: set[str] = field(default_factory=set, repr=False)

    def handle(self, alert: Alert) -> Outcome:
        """Do what an alert asks for. Never raises: an error is the outcome `failed`."""
        with self._lock:
            outcome, text = self._handle(alert)
        self.values.add(Watch.ALERTS, self._known(alert.name), outcome)
        LOGGER.info("%s %s: %s", alert.name, alert.version or "", text or outcome)
        if outcome in ("done", "failed"):
            self.notify(
                {
                    "event": "alert",
                    "alert": alert.name,
                    "action": alert.action,
                    "outcome": outcome,
                    "version": alert.version,
                    "text": text,
                    "reason": alert.reason,
                    "runbook": alert.annotations.get("runbook_url"),
                }
            )
        return outcome

    def _handle(self, alert: Alert) -> tuple[Outcome, str]:
        if alert.status == "resolved" or alert.action not in self.actions:
            return "resolved" if alert.status == "resolved" else "noted", ""
        if self.log.find(alert.key):
            return "repeated", ""
        if alert.version is None:
            return "failed", "the alert has no label version"
        if limit := self._limit(alert.action):
            return "limited", limit
        try:
            text = self.actions[alert.action](alert.version, alert.reason) or ""
            self.log.add(alert.key, alert.action, alert.version, text)
        except Exception as error:  # pylint: disable=broad-exception-caught
            LOGGER.warning("%s", error, exc_info=LOGGER.isEnabledFor(logging.DEBUG))
            return "failed", str(error)
        return ("done" if text else "not_needed"), text

    def _limit(self, action: str) -> str:
        """Why nothing may be done now; empty if it may."""
        limits = self.limits
        if self.log.num_since(limits.period_s, *self.actions) >= limits.max_actions:
            return f"{limits.max_actions} actions in {limits.period_s:g} s"
        if action == "rollback" and self.log.num_since(limits.cooldown_s, "rollback"):
            return f"a rollback in the last {limits.cooldown_s:g} s"
        return ""

    def _known(self, name: str) -> str:
        if len(self._names) < MOST_NAMES:
            self._names.add(name)
        return name if name in self._names else "other"
