"""Give the alias `champion` back to an earlier version."""

from collections.abc import Sequence
from dataclasses import replace

from graft.config import RegistryConfig
from graft.errors import TrackingError
from graft.registry.decisions import Decision, previous_champion
from graft.registry.loading import start_decision
from graft.registry.log import DecisionLog
from graft.tracking.versions import RegisteredVersion


def roll_back(
    registry: RegistryConfig,
    reason: str,
    *,
    to: str | None = None,
    only_from: str | None = None,
    via: str,
) -> Decision | None:
    """Give the alias `champion` back to an earlier version, and log why.

    Args:
        registry: the section `registry`.
        reason: why, in words.
        to: a number, alias or address; by default the champion before.
        only_from: a number: do nothing if another version is champion.
        via: what called: `graft rollback`, or an alert.
    Returns: the decision; None if there is nothing to do.
    Raises: TrackingError if there is no such version, or no champion before.
    """
    log = DecisionLog.open(registry)

    def decide(
        decisions: Sequence[Decision], champion: RegisteredVersion | None
    ) -> Decision | None:
        current = champion.version if champion else None
        if only_from not in (None, current):
            return None
        earlier = to or previous_champion(decisions, current)
        if earlier is None:
            raise TrackingError(
                registry.name,
                "the decision log has no champion before the present one",
                expected="an earlier champion",
                fix="name a version: graft rollback --to VERSION --reason TEXT",
            )
        version = log.versions.find(earlier)
        if version.version == current:
            return None
        made = start_decision(log, version, champion, via, reason)
        return replace(made, action="rollback")

    return log.record(decide)
