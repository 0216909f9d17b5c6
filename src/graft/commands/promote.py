"""`graft promote`: make a version champion, if it keeps every rule of the gate."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from graft.config.params import Params
from graft.errors import ConfigError
from graft.registry.answers import to_history, to_text
from graft.registry.log import DecisionLog
from graft.registry.promotion import Promotion


def run(
    params: Params,
    version: str = "challenger",
    /,
    *,
    reason: str = "",
    regenerate: bool = False,
    splits: Path = Path("data/splits"),
    history: bool = False,
    json: bool = False,
) -> Any:
    """Compare a version with the champion on the same test examples, and give it the
    alias champion if it keeps every rule of registry.gate. The answer is logged.

    Args:
        version: a number, an alias, or models:/NAME/NUMBER.
        reason: why, for the log; a version that was rolled back needs one.
        regenerate: generate the champion's predictions on the present test split, if
            its own are for another one. This runs both models.
        splits: folder of the splits.
        history: show all decisions instead.
        json: print one JSON document instead of text.
    """
    registry = params.registry
    if history:
        if reason:
            raise ConfigError("--history", "cannot be combined with --reason")
        decisions = DecisionLog.open(registry).read()
        print(to_history(decisions, registry.name), end="")
        return [asdict(one) for one in decisions] if json else None
    promotion = Promotion(registry, params.evaluate, version, "graft promote", reason)
    if regenerate:
        from graft.registry.regeneration import Regeneration

        promotion.regenerate = Regeneration(params, splits)
    decision = promotion.run()
    if decision is None:
        print(f"{promotion.version.address} is champion already")
        return (
            {"action": "none", "version": promotion.version.version} if json else None
        )
    print(to_text(decision), end="")
    return asdict(decision) if json else None
