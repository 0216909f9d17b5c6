"""A decision on a version, as a line of the log, and what the log says."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal

from graft import io
from graft.errors import TrackingError

CHAMPION = "champion"
"""Alias of the version that is served."""
Action = Literal["promote", "refuse", "rollback", "end_canary"]


@dataclass(frozen=True)
class Decision:
    """One decision.

    Args:
        action: what was done.
        model: name of the registered model.
        from_version: the champion before; None if there was none.
        to_version: the version that was promoted, refused or returned to, or whose
            canary was ended.
        at: when, UTC, ISO 8601.
        by: user who decided, or for whom the process ran.
        via: `certify`, `graft promote`, or what else called.
        reason: given by a person or by monitoring.
        checks: each rule with its answer.
        test_set: digest of the examples that were compared.
        comparison: digest of what was compared.
        error_rate: that this attempt spent.
        attempt: its number on this test set.
        max_attempts: that were allowed.
        provenance: of `to_version`, by name: git commit, dvc.lock, template, signature.
        previous: digest of the line before, so that a changed line is found.
        alias: that was taken from `to_version`, whose canary was ended.
    """

    action: Action
    model: str
    from_version: str | None
    to_version: str
    at: str
    by: str
    via: str
    reason: str = ""
    checks: Sequence[Mapping[str, Any]] = ()
    test_set: str = ""
    comparison: str = ""
    error_rate: float = 0.0
    attempt: int = 0
    max_attempts: int = 0
    provenance: Mapping[str, str] = field(default_factory=dict)
    previous: str = ""
    alias: str = ""

    @property
    def failed(self) -> list[str]:
        """Names of the rules that were not kept."""
        return [str(one["rule"]) for one in self.checks if not one["passed"]]

    @property
    def champion(self) -> str | None:
        """The champion after it."""
        stays = self.action in ("refuse", "end_canary")
        return self.from_version if stays else self.to_version


def to_line(decision: Decision, lines: Sequence[str]) -> str:
    """The line that is appended to others."""
    chained = replace(decision, previous=io.digest(lines[-1]) if lines else "")
    return json.dumps(asdict(chained), allow_nan=True)


def from_lines(lines: Sequence[str]) -> list[Decision]:
    """Read the log.

    Raises: TrackingError with the number of a line that is not as it was written.
    """
    known = {one.name for one in fields(Decision)}
    found: list[Decision] = []
    for number, line in enumerate(lines, 1):
        try:
            values = json.loads(line)
            decision = Decision(**{n: v for n, v in values.items() if n in known})
        except (TypeError, ValueError, AttributeError) as error:
            raise _damaged(number, "is not a decision") from error
        before = io.digest(lines[number - 2]) if number > 1 else ""
        if decision.previous != before:
            raise _damaged(number, "does not follow the line before")
        found.append(decision)
    return found


def champions(decisions: Sequence[Decision]) -> list[str]:
    """Champions to which a rollback may return, and the present one last.

    A rollback takes away what came after its version.
    """
    held: list[str] = []
    for one in decisions:
        if one.action == "promote":
            if one.from_version and held[-1:] != [one.from_version]:
                held.append(one.from_version)
            held.append(one.to_version)
        elif one.action == "rollback":
            if one.to_version in held:
                held = held[: held.index(one.to_version)]
            held = [v for v in held if v != one.from_version] + [one.to_version]
    return held


def previous_champion(decisions: Sequence[Decision], current: str | None) -> str | None:
    """The champion before the current one, which may have been set outside of graft."""
    others = champions(decisions)
    if current in others:
        others = others[: others.index(current)]
    return others[-1] if others else None


def was_rolled_back(decisions: Sequence[Decision], version: str) -> bool:
    """Whether the last time that a version lost the alias was a rollback."""
    for one in reversed(decisions):
        if one.action == "promote" and one.to_version == version:
            return False
        if one.action == "rollback" and one.from_version == version:
            return True
    return False


def canary_was_rolled_back(decisions: Sequence[Decision], version: str) -> bool:
    """Whether the last canary of a version was ended since it was worse."""
    for one in reversed(decisions):
        if one.to_version == version and one.action == "promote":
            return False
        if one.to_version == version and one.action == "end_canary":
            return bool(one.failed)
    return False


def _damaged(number: int, problem: str) -> TrackingError:
    return TrackingError(
        f"decisions.jsonl:{number}",
        f"the line {problem}",
        expected="a log that only graft promote and graft rollback have written",
        fix="restore the file from a backup of the artifacts; or delete its run in "
        "MLflow, which begins a new log",
    )
