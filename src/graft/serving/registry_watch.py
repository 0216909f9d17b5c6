"""What `graft watch` reads of the registry, and does there."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from graft.config import RegistryConfig
from graft.monitoring.names import Watch
from graft.monitoring.watch.values import MetricValues
from graft.registry.canary import end_canary
from graft.registry.decisions import CHAMPION, Decision
from graft.registry.log import DecisionLog
from graft.registry.rollback import roll_back

VIA = "graft watch"
ACTIONS = ("promote", "refuse", "rollback", "end_canary")


@dataclass(frozen=True)
class RegistryActions:
    """Actions on the aliases of a registered model.

    Args:
        registry: the section `registry`.
        alias: of the canary.
    """

    registry: RegistryConfig
    alias: str

    def roll_back(self, version: str, reason: str) -> str | None:
        """Give the alias champion back to the champion before, if this version has it.

        Returns: what was done; None if the version is not champion.
        Raises: TrackingError if there is no champion before.
        """
        number = self._number(version)
        if number is None:
            return None
        made = roll_back(self.registry, reason, only_from=number, via=VIA)
        if made is None:
            return None
        return f"champion: {made.from_version} → {made.to_version}"

    def end_canary(self, version: str, reason: str) -> str | None:
        """Take the canary's alias away, if this version has it. As an alert found it to
        be worse, only a person's reason may promote it later.

        Returns: what was done; None if the version is not the canary.
        """
        number = self._number(version)
        if number is None:
            return None
        check = {"rule": "canary alert", "passed": False, "found": reason}
        made = end_canary(
            self.registry, number, reason, checks=[check], alias=self.alias, via=VIA
        )
        return f"{self.alias}: {number} → none" if made else None

    def _number(self, version: str) -> str | None:
        name, _, number = version.rpartition("/")
        return number if name == self.registry.name else None


@dataclass
class RegistryWatch:
    """Reads the registry again and again.

    Args:
        notify: receives a document for each decision that was made meanwhile.
    """

    registry: RegistryConfig
    values: MetricValues
    notify: Callable[[Mapping[str, Any]], None]
    _log: DecisionLog | None = field(default=None, repr=False)
    _num_seen: int | None = field(default=None, repr=False)

    def read(self) -> None:
        """Read it once. Raises: TrackingError if it does not respond."""
        self._log = self._log or DecisionLog.open(self.registry)
        decisions = self._log.read()
        champion = self._log.versions.holder(CHAMPION)
        held: list[tuple[str, ...]] = []
        if champion is not None:
            held = [(f"{champion.name}/{champion.version}",)]
        self.values.replace(Watch.CHAMPION, {labels: 1.0 for labels in held})
        numbers = Counter[str](one.action for one in decisions)
        for action in ACTIONS:
            self.values.set(Watch.DECISIONS, numbers[action], action)
        self.values.set(Watch.REGISTRY_UP, 1)
        self._tell(decisions)

    def failed(self, _error: Exception) -> None:
        """It did not respond."""
        self.values.set(Watch.REGISTRY_UP, 0)

    def _tell(self, decisions: Sequence[Decision]) -> None:
        if self._num_seen is not None:
            for one in decisions[self._num_seen :]:
                self.notify({"event": "decision", "decision": asdict(one)})
        self._num_seen = len(decisions)
