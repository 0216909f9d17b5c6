"""Promote a version if it keeps every rule of the gate."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from graft.config import EvaluateConfig, GatedRegistryConfig
from graft.evaluation.digests import digest_test_set
from graft.registry.attempts import next_attempt
from graft.registry.candidate import Candidate
from graft.registry.checks import Check
from graft.registry.decisions import (
    Decision,
    canary_was_rolled_back,
    was_rolled_back,
)
from graft.registry.gate import Comparison, Verdict, identify, judge, judge_first
from graft.registry.loading import load_candidate, start_decision
from graft.registry.log import DecisionLog
from graft.tracking.versions import RegisteredVersion

Regenerate = Callable[[DecisionLog, RegisteredVersion], Candidate]


@dataclass
class Promotion:
    """Decides on one version, as often as the log changes meanwhile.

    Args:
        registry: the section `registry`, with the gate.
        evaluate: metrics, and the seed of the resamples.
        reference: of the version: a number, alias or address.
        via: what called: `certify` or `graft promote`.
        reason: given by a person; a version that was rolled back needs one.
        regenerate: generates the champion's predictions if they are for another test
            set; without it, another test set is refused.
    """

    registry: GatedRegistryConfig
    evaluate: EvaluateConfig
    reference: str
    via: str
    reason: str = ""
    regenerate: Regenerate | None = None
    evidence: Sequence[Check] = ()
    _champions: dict[str, Candidate] = field(default_factory=dict)

    def run(self) -> Decision | None:
        """Decide, log and apply. None if the version is champion already."""
        return self.log.record(self._decide)

    @cached_property
    def log(self) -> DecisionLog:
        """The decision log of the registered model."""
        return DecisionLog.open(self.registry)

    @cached_property
    def version(self) -> RegisteredVersion:
        """The version that is to become champion."""
        return self.log.versions.find(self.reference)

    @cached_property
    def challenger(self) -> Candidate:
        """The version with its predictions."""
        return load_candidate(self.log, self.version)

    def _decide(
        self, decisions: Sequence[Decision], champion: RegisteredVersion | None
    ) -> Decision | None:
        if champion is not None and champion.version == self.version.version:
            return None
        if self.evidence and self._was_refused(decisions, champion):
            return None
        made = start_decision(self.log, self.version, champion, self.via, self.reason)
        if champion is None:
            verdict = judge_first(self._without_predictions(), self.registry.gate)
            compared = Comparison("", "")
        else:
            verdict, compared = self._compare(decisions, champion)
        if was_rolled_back(decisions, self.version.version) and not self.reason:
            verdict = replace(verdict, checks=[_rolled_back(), *verdict.checks])
        if canary_was_rolled_back(decisions, self.version.version) and not self.reason:
            verdict = replace(verdict, checks=[_canary(), *verdict.checks])
        attempt = verdict.attempt
        is_attempt = attempt is not None and attempt.is_allowed
        return replace(
            made,
            action="promote" if verdict.passed else "refuse",
            checks=[one.to_json() for one in (*self.evidence, *verdict.checks)],
            test_set=compared.test_set if is_attempt else "",
            comparison=compared.key if is_attempt else "",
            error_rate=attempt.error_rate if attempt and is_attempt else 0.0,
            attempt=attempt.number if attempt else 0,
            max_attempts=attempt.most if attempt else 0,
        )

    def _was_refused(
        self, decisions: Sequence[Decision], champion: RegisteredVersion | None
    ) -> bool:
        """Whether this caller was refused before, and nothing was decided since."""
        number = champion.version if champion else None
        last = next((one for one in reversed(decisions) if one.via == self.via), None)
        return (
            last is not None
            and last.action == "refuse"
            and (last.to_version, last.from_version) == (self.version.version, number)
        )

    def _without_predictions(self) -> Candidate:
        version = self.version
        return Candidate(version.version, (), version.tags, {})

    def _load_champion(self, champion: RegisteredVersion) -> Candidate:
        """With its own predictions if they are for the test set of the challenger."""
        if champion.version not in self._champions:
            test_set = digest_test_set(self.challenger.predictions)
            is_other = champion.tags.get("test_set") != test_set
            load = self.regenerate if self.regenerate and is_other else load_candidate
            self._champions[champion.version] = load(self.log, champion)
        return self._champions[champion.version]

    def _compare(
        self, decisions: Sequence[Decision], champion: RegisteredVersion
    ) -> tuple[Verdict, Comparison]:
        gate, other = self.registry.gate, self._load_champion(champion)
        compared = identify(self.challenger, other, gate.metric)
        made = {
            one.comparison: one
            for one in decisions
            if one.test_set == compared.test_set and one.comparison
        }
        before = made.pop(compared.key, None)
        unused = self._count_unused(decisions, compared.test_set, champion)
        attempt = next_attempt(
            [one.error_rate for one in made.values()], unused, gate.max_attempts
        )
        if before is not None:  # a repetition, not a new look at the test set
            attempt = replace(
                attempt, number=before.attempt, error_rate=before.error_rate
            )
        verdict = judge(
            self.challenger,
            other,
            gate,
            self.evaluate.metrics,
            seed=self.evaluate.seed,
            attempt=attempt,
        )
        return verdict, compared

    def _count_unused(
        self,
        decisions: Sequence[Decision],
        test_set: str,
        champion: RegisteredVersion,
    ) -> int:
        """Versions that were evaluated on a test set without an attempt: this one may
        have been chosen as the best of them."""
        decided = {
            one.to_version for one in decisions if one.action in ("promote", "rollback")
        }
        decided |= {one.to_version for one in decisions if one.test_set == test_set}
        decided |= {self.version.version, champion.version}
        return sum(
            one.version not in decided and one.tags.get("test_set") == test_set
            for one in self.log.versions.all()
        )


def _canary() -> Check:
    return Check(
        "canary",
        False,
        "its canary was rolled back",
        "a person's decision: graft promote VERSION --reason TEXT",
    )


def _rolled_back() -> Check:
    return Check(
        "rolled back",
        False,
        "it was champion, and was rolled back",
        "a person's decision: graft promote VERSION --reason TEXT",
    )
