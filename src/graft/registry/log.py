"""Decisions that take effect one after the other, whoever makes them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from graft.config import RegistryConfig
from graft.registry.decisions import (
    CHAMPION,
    Decision,
    from_lines,
    to_line,
)
from graft.tracking.claims import Claim, Claims
from graft.tracking.decisions import DecisionStore, LogState
from graft.tracking.versions import RegisteredVersion, Versions

Decide = Callable[[Sequence[Decision], RegisteredVersion | None], Decision | None]
"""The log and the present champion → a decision; None if there is nothing to do."""
PROMOTED, ROLLED_BACK, CANARY_ENDED = "promoted", "rolled_back", "canary_ended"
"""Prefixes of version tags: `promoted.at`, …"""


@dataclass
class DecisionLog:
    """The log of a registered model; it alone moves the alias `champion`.

    Raises: TrackingError if the store does not respond, or the log is damaged.
    """

    versions: Versions
    decisions: DecisionStore
    claims: Claims

    @classmethod
    def open(cls, registry: RegistryConfig) -> "DecisionLog":
        """The log of `registry.name`."""
        versions = Versions(registry)
        store = DecisionStore(registry, versions.store)
        return cls(versions, store, Claims(versions.store, registry.name))

    def read(self) -> list[Decision]:
        """All decisions that took effect, the oldest first."""
        return from_lines(self.decisions.read().lines)

    def record(self, decide: Decide) -> Decision | None:
        """Decide, write the decision, and let it take effect.

        Compare-and-set: if another decision came first, or the champion was changed
        meanwhile, nothing is written, and `decide` is called again.
        """
        while True:
            state = self.decisions.read()
            champion = self.versions.holder(CHAMPION)
            made: Decision | None = None
            if not state.pending:
                made = decide(from_lines(state.lines), champion)
                if made is None:
                    return None
            with self.claims.claim(state.number) as claim:
                if claim is not None:
                    written = self._write(state, champion, made, claim)
                    if written is not None and made is not None:
                        return written

    def _write(
        self,
        before: LogState,
        champion: RegisteredVersion | None,
        made: Decision | None,
        claim: Claim,
    ) -> Decision | None:
        """Write and apply a decision, or finish a pending one. None if the store is no
        longer as it was when the decision was made."""
        state = self.decisions.read()
        if state.number != before.number:
            return None
        if not state.pending:
            if made is None or self.versions.holder(CHAMPION) != champion:
                return None
            claim.check()
            state = self.decisions.write(state, to_line(made, state.lines))
        elif made is not None:
            return None
        *_, decision = from_lines([*state.lines, state.pending])
        claim.check()
        self._apply(decision, state.number + 1)
        self.decisions.count(state)
        claim.is_used = True
        return decision

    def _apply(self, decision: Decision, number: int) -> None:
        """Move the alias and set tags; repeating it changes nothing."""
        if decision.action == "end_canary":
            holder = self.versions.holder(decision.alias)
            if holder is not None and holder.version == decision.to_version:
                self.versions.delete_alias(decision.alias)
        elif decision.action != "refuse":
            self.versions.set_alias(CHAMPION, decision.to_version)
        for version, tags in _to_tags(decision, number).items():
            self.versions.set_tags(version, tags)


def _to_tags(decision: Decision, number: int) -> Mapping[str, Mapping[str, str]]:
    """Tags by version."""
    facts = {
        "at": decision.at,
        "by": f"{decision.by}, {decision.via}",
        "decision": str(number),
        **({"reason": decision.reason} if decision.reason else {}),
    }
    if decision.action == "refuse":
        refused = f"refused: {', '.join(decision.failed)} (decision {number})"
        return {decision.to_version: {"gate": refused}}
    if decision.action == "promote":
        facts["from"] = decision.from_version or "none"
        tags = {f"{PROMOTED}.{name}": value for name, value in facts.items()}
        return {decision.to_version: tags | {"gate": f"promoted (decision {number})"}}
    if decision.action == "end_canary":
        tags = {f"{CANARY_ENDED}.{name}": value for name, value in facts.items()}
        return {decision.to_version: tags}
    facts["to"] = decision.to_version
    tags = {f"{ROLLED_BACK}.{name}": value for name, value in facts.items()}
    return {decision.from_version: tags} if decision.from_version else {}
