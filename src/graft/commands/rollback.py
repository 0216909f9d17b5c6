"""`graft rollback`: give the alias champion back to an earlier version."""

from dataclasses import asdict
from typing import Any

from graft.config import RegistryConfig
from graft.errors import ConfigError
from graft.registry.answers import to_text
from graft.registry.rollback import roll_back


def run(
    registry: RegistryConfig,
    *,
    reason: str,
    to: str | None = None,
    json: bool = False,
) -> dict[str, Any] | None:
    """Give the alias champion back to the champion before, and log why.

    Args:
        reason: why, for the log.
        to: a version instead, by number, alias, or models:/NAME/NUMBER.
        json: print one JSON document instead of text.
    """
    if not reason.strip():
        raise ConfigError("--reason", "is empty", expected="why, for the log")
    decision = roll_back(registry, reason, to=to, via="graft rollback")
    if decision is None:
        print("that version is champion already")
        return {"action": "none"} if json else None
    print(to_text(decision), end="")
    return asdict(decision) if json else None
