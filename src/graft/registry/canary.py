"""End a canary: take its alias (`challenger`) from its version, and log why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from graft.config import RegistryConfig
from graft.registry.decisions import CHAMPION, Decision
from graft.registry.loading import start_decision
from graft.registry.log import CANARY_ENDED, DecisionLog
from graft.tracking.versions import RegisteredVersion

STARTED = "canary.started_ms"
"""Tag of a version: when its canary was first seen, milliseconds UTC since 1970."""
VIA = "graft canary"
ALIAS = "challenger"
"""Of the canary, if `serving.canary` names no other."""


@dataclass(frozen=True)
class Canary:
    """The present canary.

    Args:
        champion: NAME/NUMBER; None if there is none.
        started_ms: None if nothing has recorded its beginning yet.
    """

    version: RegisteredVersion
    champion: str | None
    started_ms: int | None

    @property
    def id(self) -> str:
        """NAME/NUMBER, as the request log has it."""
        return f"{self.version.name}/{self.version.version}"


def find_canary(registry: RegistryConfig, alias: str = ALIAS) -> Canary | None:
    """The version with the alias of the canary; None if the champion has it, too.

    Raises: TrackingError if the store does not respond.
    """
    log = DecisionLog.open(registry)
    challenger = log.versions.holder(alias)
    champion = log.versions.holder(CHAMPION)
    if challenger is None or champion and champion.version == challenger.version:
        return None
    name = f"{champion.name}/{champion.version}" if champion else None
    return Canary(challenger, name, _started_ms(challenger))


def start_canary(registry: RegistryConfig, canary: Canary, now_ms: int) -> Canary:
    """Record when a canary was first seen; nothing if that is recorded already.

    Raises: TrackingError if the store does not respond.
    """
    if canary.started_ms is not None:
        return canary
    log = DecisionLog.open(registry)
    log.versions.set_tags(canary.version.version, {STARTED: str(now_ms)})
    return replace(canary, started_ms=now_ms)


def end_canary(
    registry: RegistryConfig,
    version: str,
    reason: str,
    *,
    checks: Sequence[Mapping[str, Any]] = (),
    alias: str = ALIAS,
    via: str = VIA,
) -> Decision | None:
    """End the canary of a version: requests no longer reach it.

    Args:
        version: its number.
        reason: why, in words.
        checks: what was compared, as rules: one that failed means that the version was
            worse, and that only a person's reason may promote it later.
        alias: of the canary, which the version loses.
        via: what called.
    Returns: the decision; None if the version has no canary (any more).
    Raises: TrackingError if the store does not respond.
    """
    log = DecisionLog.open(registry)

    def decide(
        decisions: Sequence[Decision], champion: RegisteredVersion | None
    ) -> Decision | None:
        del decisions
        challenger = log.versions.holder(alias)
        if challenger is None or challenger.version != version:
            return None
        if champion is not None and champion.version == version:
            return None
        made = start_decision(log, challenger, champion, via, reason)
        return replace(made, action="end_canary", alias=alias, checks=list(checks))

    return log.record(decide)


def _started_ms(version: RegisteredVersion) -> int | None:
    """When the present canary of a version began; an earlier one has ended."""
    text = version.tags.get(STARTED, "")
    if not text.isdigit():
        return None
    ended = version.tags.get(f"{CANARY_ENDED}.at")
    if ended and 1000 * datetime.fromisoformat(ended).timestamp() >= int(text):
        return None
    return int(text)
