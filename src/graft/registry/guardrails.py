"""The rule that nothing else gets worse."""

from collections.abc import Mapping, Sequence

from graft.metrics import METRICS
from graft.metrics.bootstrap import CONFIDENCE
from graft.metrics.contrast import Contrast
from graft.registry.checks import Check
from graft.registry.contrasts import Contrasts, settle

FAMILY_ERROR_RATE = 0.05
"""Highest probability that any stratum is called worse although none is."""


def check_guardrails(
    contrasts: Contrasts, margins: Mapping[str, float], most: int
) -> list[Check]:
    """Whether no guardrail metric is worse by more than its margin.

    Over all examples, non-inferiority must be shown: the lower bound of the 95 %
    interval of the gain is above −margin. A stratum has too few examples for that; it
    must not be significantly worse by more than the margin, one-sided, with Holm's
    correction over all strata and metrics.
    Source: Holm 1979, "A simple sequentially rejective multiple test procedure",
    Scandinavian Journal of Statistics 6(2).
    """
    checks, parts = [], {}
    for name, margin in margins.items():
        contrast = contrasts.overall(METRICS[name])
        checks.append(_check_overall(name, contrast, margin, most))
        for stratum, part in contrasts.strata(METRICS[name]).items():
            parts[f"{name}, {stratum}"] = (part, margin)
    worse = find_worse(parts, most)
    checks += [
        _check_stratum(name, *part, name in worse) for name, part in parts.items()
    ]
    return checks


def find_worse(
    parts: Mapping[str, tuple[Contrast, float]], most: int
) -> Mapping[str, float]:
    """The names of those that are significantly worse by more than their margin.

    An open answer counts as worse. Returns: name → confidence of the interval.
    """
    worse: dict[str, float] = {}
    while rest := [name for name in parts if name not in worse]:
        confidence = 1 - 2 * FAMILY_ERROR_RATE / len(rest)
        new = [name for name in rest if _is_worse(*parts[name], confidence, most)]
        if not new:
            return worse
        worse |= dict.fromkeys(new, confidence)
    return worse


def _is_worse(contrast: Contrast, margin: float, confidence: float, most: int) -> bool:
    is_no_worse, _ = settle(
        contrast, lambda: _negated(contrast.is_below(-margin, confidence)), most
    )
    return not is_no_worse


def _negated(answer: bool | None) -> bool | None:
    return None if answer is None else not answer


def _check_overall(name: str, contrast: Contrast, margin: float, most: int) -> Check:
    passed, remark = settle(
        contrast, lambda: contrast.is_above(-margin, CONFIDENCE), most
    )
    needed = f"a lower bound above {-margin:.10g}"
    rule = f"guardrail {name}"
    return _to_check(rule, contrast, margin, CONFIDENCE, passed, remark, needed)


def _check_stratum(
    name: str, contrast: Contrast, margin: float, is_worse: bool
) -> Check:
    confidence = 1 - 2 * FAMILY_ERROR_RATE
    needed = f"no significant loss of more than {margin:.10g} (Holm)"
    rule = f"guardrail {name}"
    return _to_check(rule, contrast, margin, confidence, not is_worse, "", needed)


def _to_check(
    rule: str,
    contrast: Contrast,
    margin: float,
    confidence: float,
    passed: bool,
    remark: str,
    needed: str,
) -> Check:
    challenger, champion = contrast.values
    low, high = contrast.found.bounds(confidence)
    return Check(
        rule=rule,
        passed=passed,
        found=f"{challenger:.4g}, the champion's {champion:.4g}: gain "
        f"{contrast.found.estimate:.3g}, {100 * confidence:.4g} % interval {low:.3g} "
        f"to {high:.3g}{remark}",
        sufficient="" if passed else needed,
        challenger=challenger,
        champion=champion,
        gain=contrast.found.estimate,
        low=low,
        high=high,
        confidence=confidence,
        required=-margin,
        resampling_error=contrast.resampling_error(confidence),
        num_resamples=len(contrast.found.values),
    )


def missing_metrics(names: Sequence[str], uncomputed: Mapping[str, str]) -> list[Check]:
    """A failed check for each guardrail that cannot be computed."""
    return [
        Check(
            f"guardrail {name}",
            False,
            f"not computed: {uncomputed[name]}",
            f"predictions for which it can be, or no registry.gate.guardrails.{name}",
        )
        for name in names
        if name in uncomputed
    ]
