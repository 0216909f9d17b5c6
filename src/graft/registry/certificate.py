"""The certificate of a registered version: each way of using it answers as scored."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from graft.config import BudgetConfig
from graft.errors import HardwareError

Logprobs = npt.NDArray[np.float32]
"""Of next tokens, in nats. Shape [places, vocabulary]; NaN where they are unknown."""
LARGER = frozenset({"merged"})
"""Ways whose model is not quantized, and so may not fit where it was evaluated."""


@dataclass(frozen=True)
class WayAnswers:
    """What one way of using the model answers.

    Args:
        texts: the answer to each prompt.
        logprobs: of each prompt, along the tokens of the evaluation's engine; a way may
            report fewer places.
    """

    texts: Sequence[str]
    logprobs: Sequence[Logprobs]


@dataclass(frozen=True)
class WayReport:
    """The comparison of one way with the evaluation.

    Args:
        problem: why it failed; empty if it passed.
        agreement: share of equal answers.
        kl: mean KL divergence of the next tokens, in nats.
        metric_difference: of the task's first metric, in its unit.
        num_places: where distributions were compared.
        not_run: why this machine cannot run it; empty if it ran.
    """

    problem: str
    agreement: float | None = None
    kl: float | None = None
    metric_difference: float | None = None
    num_places: int = 0
    not_run: str = ""

    def to_json(self) -> dict[str, Any]:
        """All numbers, rounded to what is the same in every run on a machine."""
        digits = {"agreement": 4, "kl": 6, "metric_difference": 2}
        return {
            name: round(value, digits[name]) if name in digits and value else value
            for name, value in asdict(self).items()
        }


@dataclass(frozen=True)
class Certificate:
    """The reports of all ways, and the budgets."""

    version: str
    num_prompts: int
    metric: str
    ways: Mapping[str, WayReport]
    budgets: Mapping[str, BudgetConfig]

    @property
    def status(self) -> str:
        """`passed` or `failed`."""
        return "failed" if self.reason else "passed"

    @property
    def reason(self) -> str:
        """Each way that failed, and why; empty if none did."""
        return _join({name: one.problem for name, one in self.ways.items()})

    @property
    def not_run(self) -> str:
        """Each way that this machine cannot run, and why; empty if there is none."""
        return _join({name: one.not_run for name, one in self.ways.items()})

    def tags(self) -> dict[str, str]:
        """Tags of the version."""
        return {
            "certificate": self.status,
            "certificate/reason": self.reason or "none",
            "certificate/not_run": self.not_run or "none",
        }

    def to_json(self) -> dict[str, Any]:
        """All numbers."""
        return {
            "version": self.version,
            "status": self.status,
            "reason": self.reason,
            "num_prompts": self.num_prompts,
            "metric": self.metric,
            "ways": {name: one.to_json() for name, one in self.ways.items()},
            "budgets": {name: one.model_dump() for name, one in self.budgets.items()},
        }


def _join(reasons: Mapping[str, str]) -> str:
    return "; ".join(f"{name}: {reason}" for name, reason in reasons.items() if reason)


def judge(
    evaluated: Sequence[str],
    reference: Sequence[Logprobs],
    answers: WayAnswers,
    metric_difference: float,
    budget: BudgetConfig,
) -> WayReport:
    """Compare a way with the evaluation.

    Args:
        evaluated: the answers that were scored.
        reference: distributions of the evaluation's engine.
        answers: of the way.
        metric_difference: of its answers from those that were scored.
        budget: of this way.
    """
    texts = zip(evaluated, answers.texts, strict=True)
    agreement = sum(a.strip() == b.strip() for a, b in texts) / len(evaluated)
    pairs = [(p[: len(q)], q[: len(p)]) for p, q in zip(reference, answers.logprobs)]
    places = sum(len(p) for p, _ in pairs)
    total = sum(float(divergence(p, q).sum()) for p, q in pairs)
    kl = total / places if places else math.nan
    problems = []
    if not agreement >= budget.min_agreement:
        problems.append(
            f"{agreement:.1%} of answers agree, less than {budget.min_agreement:.1%}"
        )
    if not kl <= budget.max_kl:  # also if it is NaN
        problems.append(f"mean KL {kl:.3g} nats, more than {budget.max_kl:g}")
    if not abs(metric_difference) <= budget.max_metric_difference:
        problems.append(
            f"the metric differs by {metric_difference:+.2f}, more than "
            f"{budget.max_metric_difference:g}"
        )
    return WayReport(", ".join(problems), agreement, kl, metric_difference, places)


def divergence(reference: Logprobs, other: Logprobs) -> npt.NDArray[np.float64]:
    """KL divergence of `other` from `reference` at each place, in nats. Shape [places].

    Tokens that `other` does not report count together as one event, which can only
    lower the divergence (the data-processing inequality).
    """
    p, q = np.exp(reference.astype(float)), np.exp(other.astype(float))
    known = ~np.isnan(q)
    rest_p = np.where(known, 0, p).sum(-1)
    rest_q = np.clip(1 - np.where(known, q, 0).sum(-1), 1e-12, 1)
    ratio = np.where(known & (p > 0), reference.astype(float) - other, 0)
    terms = np.where(known, p * ratio, 0).sum(-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        rest = np.where(rest_p > 0, rest_p * np.log(rest_p / rest_q), 0)
    found: npt.NDArray[np.float64] = terms + rest
    return found


def make_certificate(
    version: str,
    metric: str,
    evaluated: Sequence[str],
    reference: Sequence[Logprobs],
    ways: Mapping[str, Callable[[], WayAnswers]],
    budgets: Mapping[str, BudgetConfig],
    difference: Callable[[Sequence[str]], float],
) -> Certificate:
    """Run each way, and compare it with the evaluation.

    A way that cannot run has failed: its error is the reason. Only if its model is
    larger than that of the evaluation, and does not fit this machine, it is left out.

    Args:
        version: number of the version.
        metric: name of the task's first metric.
        evaluated, reference: as in `judge`.
        ways: name → what runs it.
        budgets: name → budget.
        difference: answers → difference of the metric from that of `evaluated`.
    """
    reports = {}
    for name, run in ways.items():
        try:
            answers = run()
            reports[name] = judge(
                evaluated,
                reference,
                answers,
                difference(answers.texts),
                budgets[name],
            )
        # Whatever stops a way stops its users, too.
        except Exception as error:  # pylint: disable=broad-exception-caught
            lines = str(error).strip().splitlines() or [""]
            if name in LARGER and isinstance(error, HardwareError):
                reports[name] = WayReport("", not_run=lines[0][:300])
                continue
            reports[name] = WayReport(f"{type(error).__name__}: {lines[0][:300]}")
    return Certificate(version, len(evaluated), metric, reports, budgets)
