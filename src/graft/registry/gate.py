"""Whether a version becomes champion: every rule with its answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from graft.config import GateConfig
from graft.errors import ConfigError
from graft.evaluation.digests import digest_answers, digest_test_set
from graft.evaluation.scoring import not_computed
from graft.metrics import METRICS, Metric, get_metrics
from graft.registry.attempts import Attempt
from graft.registry.candidate import Candidate, aligned
from graft.registry.checks import Check
from graft.registry.conditions import (
    check_certificate,
    check_costs,
    check_requirements,
)
from graft.registry.contrasts import Contrasts
from graft.registry.gain import check_gain
from graft.registry.guardrails import check_guardrails, missing_metrics


@dataclass(frozen=True)
class Verdict:
    """The answers of all rules.

    Args:
        checks: each rule; a version is promoted if all are kept.
        attempt: on this test set; None if predictions were not compared.
    """

    checks: Sequence[Check]
    attempt: Attempt | None = None

    @property
    def passed(self) -> bool:
        """Whether the version becomes champion."""
        return all(check.passed for check in self.checks)

    @property
    def failed(self) -> list[Check]:
        """The rules that are not kept."""
        return [check for check in self.checks if not check.passed]


@dataclass(frozen=True)
class Comparison:
    """What a comparison depends on: a repetition is not a new attempt.

    Args:
        test_set: digest of the questions and references.
        key: digest of the test set, both systems' completions and the metric.
    """

    test_set: str
    key: str


def identify(
    challenger: Candidate, champion: Candidate, metric: str | None
) -> Comparison:
    """Identify the comparison of two candidates."""
    test_set = digest_test_set(challenger.predictions)
    parts = [digest_answers(one.predictions) for one in (challenger, champion)]
    return Comparison(test_set, "-".join([test_set, *parts, metric or ""]))


def judge_first(challenger: Candidate, gate: GateConfig) -> Verdict:
    """Whether a version becomes the first champion: there is nothing to compare."""
    return Verdict(
        [
            check_requirements(challenger.tags, is_first=True),
            check_certificate(challenger.tags, gate.require_certificate),
        ]
    )


def judge(
    challenger: Candidate,
    champion: Candidate,
    gate: GateConfig,
    metrics: Sequence[str],
    *,
    seed: int,
    attempt: Attempt,
) -> Verdict:
    """Whether a version replaces the champion.

    Args:
        gate: the section `registry.gate`.
        metrics: `evaluate.metrics`; the first that can be computed decides, unless the
            gate names one.
        seed: of the resamples.
        attempt: on the test set of the challenger.
    """
    checks = [
        check_requirements(challenger.tags, is_first=False),
        check_certificate(challenger.tags, gate.require_certificate),
        *check_costs(challenger, champion, gate),
    ]
    pair = aligned(challenger, champion)
    if isinstance(pair, str):
        return Verdict([*checks, _other_test_set(pair)])
    if not attempt.is_allowed:
        return Verdict([*checks, _no_attempt_left(attempt)], attempt)
    challenger, champion = pair
    contrasts = Contrasts(challenger, champion, seed)
    check_names(gate)
    names = [*metrics, *gate.guardrails, *([gate.metric] if gate.metric else [])]
    uncomputed = _not_computed(challenger, champion, names)
    checks += missing_metrics(list(gate.guardrails), uncomputed)
    margins = {n: m for n, m in gate.guardrails.items() if n not in uncomputed}
    checks += check_guardrails(contrasts, margins, gate.num_resamples)
    metric = deciding_metric(gate, metrics, uncomputed)
    gain = check_gain(
        contrasts.overall(metric), gate.min_gain, attempt, gate.num_resamples
    )
    if _are_identical(challenger, champion):
        gain = replace(gain, found=f"{gain.found}; all completions are identical")
    return Verdict([gain, *checks], attempt)


def check_names(gate: GateConfig) -> None:
    """Raises: ConfigError if a metric does not exist, or none of its values is
    better."""
    named = {f"guardrails.{name}": name for name in gate.guardrails}
    if gate.metric:
        named["metric"] = gate.metric
    directed = [name for name, one in METRICS.items() if one.better != "neither"]
    for key, name in named.items():
        if name not in directed:
            raise ConfigError(
                f"registry.gate.{key}",
                f"{name} is {'only descriptive' if name in METRICS else 'no metric'}",
                expected=f"one of {', '.join(directed)}",
                fix="correct configs/registry/default.yaml, then: graft params",
            )


def deciding_metric(
    gate: GateConfig, metrics: Sequence[str], uncomputed: Mapping[str, str]
) -> Metric:
    """The metric in which a champion must be better.

    Raises: ConfigError if there is none, or none of its values is better.
    """
    names = [gate.metric] if gate.metric else list(metrics)
    found = [METRICS[name] for name in names if name not in uncomputed]
    if not found or found[0].better == "neither":
        raise ConfigError(
            "registry.gate.metric",
            (
                f"{found[0].name} is only descriptive"
                if found
                else "not computed: "
                + ("; ".join(uncomputed.values()) or "evaluate.metrics is empty")
            ),
            expected="a metric that can be computed and has better values",
            fix="set registry.gate.metric to another metric in configs/",
        )
    return found[0]


def _not_computed(
    challenger: Candidate, champion: Candidate, names: Sequence[str]
) -> Mapping[str, str]:
    metrics = get_metrics(list(dict.fromkeys(names)))
    rows = [*challenger.predictions, *champion.predictions]
    return not_computed(rows, metrics)


def _are_identical(challenger: Candidate, champion: Candidate) -> bool:
    pairs = zip(challenger.predictions, champion.predictions, strict=True)
    return all(one.tuned == other.tuned for one, other in pairs)


def _other_test_set(reason: str) -> Check:
    return Check(
        "test set",
        False,
        reason,
        "the same test examples: graft promote --regenerate",
    )


def _no_attempt_left(attempt: Attempt) -> Check:
    return Check(
        "attempts",
        False,
        f"attempt {attempt.number} on this test set; {attempt.most} share its error "
        "rate",
        "a new test set (more data, or another split.seed)",
    )
