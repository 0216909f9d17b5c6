"""Judge each metric of a canary by its margins."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from graft.config.monitoring.canary import CanaryAnalysisConfig
from graft.monitoring.canary.comparison import Estimate, Sums, estimate
from graft.monitoring.canary.evidence import Array, find_bound
from graft.monitoring.canary.metrics import METRICS, Metric
from graft.monitoring.canary.report import MetricResult, Verdict
from graft.monitoring.canary.traffic import Traffic

COVERAGE = 0.5
"""Part of the champion's share of requests with a value that the canary needs, too:
values that only the canary lacks are a fault."""
WIDEST = {"rate": 0.99, "log": 5.0}
"""Largest excess whose bounds are searched: of logarithms, a ratio of 148."""


@dataclass(frozen=True)
class Margin:
    """The margins of a metric, as differences of rates or of logarithms."""

    rollback: float | None
    promote: float | None


def margin_of(metric: Metric, config: CanaryAnalysisConfig) -> Margin:
    """The margins of a metric; those of a split have no say in a promotion."""
    if metric.role == "canary":
        found = getattr(config.margins, metric.name)
        rollback, promote = found.rollback, found.promote
    else:
        split = config.split
        rollback = split.language if metric.kind == "rate" else split.prompt_tokens
        promote = None
    if metric.kind == "log":
        rollback, promote = (v and math.log(v) for v in (rollback, promote))
    return Margin(rollback, promote)


def needed_evidence(config: CanaryAnalysisConfig) -> float:
    """Log of the e-value that ends a canary: all metrics and the sample ratio share the
    error rate (Bonferroni's inequality), and may depend on each other in any way."""
    number = sum(margin_of(one, config).rollback is not None for one in METRICS)
    return math.log((number + 1) / config.error_rate)


def judge(traffic: Traffic, config: CanaryAnalysisConfig) -> Iterator[MetricResult]:
    """The result of each metric."""
    is_canary = traffic.group == "canary"
    for metric in METRICS:
        values = metric.values(traffic)
        covariate = metric.covariate(traffic) if metric.covariate else 0 * values
        is_known = np.isfinite(values) & np.isfinite(covariate)
        number = [int((is_known & one).sum()) for one in (is_canary, ~is_canary)]
        if not all(number):
            yield _without_values(metric, config, number)
            continue
        canary, main = (
            _sums(values, covariate, traffic, is_known & one)
            for one in (is_canary, ~is_canary)
        )
        shares = number[0] / is_canary.sum(), number[1] / (~is_canary).sum()
        is_covered = bool(shares[0] >= COVERAGE * shares[1])
        compared = estimate(metric.kind, canary, main, metric.sign)
        yield _result(metric, compared, config, is_covered)


def _sums(values: Array, covariate: Array, traffic: Traffic, mask: np.ndarray) -> Sums:
    clients = np.unique(traffic.client[mask], return_inverse=True)[1]
    return Sums.of(values[mask], covariate[mask], clients)


def _without_values(
    metric: Metric, config: CanaryAnalysisConfig, number: list[int]
) -> MetricResult:
    """A metric that only one group has is open: the canary may hide something."""
    has_a_say = margin_of(metric, config).promote is not None
    verdict: Verdict = "open" if has_a_say and any(number) else "no_data"
    return _start(metric, config, verdict, *number)


def _result(
    metric: Metric, compared: Estimate, config: CanaryAnalysisConfig, is_covered: bool
) -> MetricResult:
    margin, least = margin_of(metric, config), config.min_clients
    needed, promotes = needed_evidence(config), -math.log(config.error_rate)
    widest = WIDEST[metric.kind]

    def worse(at: float) -> float:
        return float(compared.worse(at, least))

    verdict: Verdict = "open" if margin.promote is not None else "not_judged"
    if margin.rollback is not None and worse(margin.rollback) >= needed:
        verdict = "worse"
    elif (
        margin.promote is not None
        and is_covered
        and compared.not_worse(margin.promote, least) >= promotes
    ):
        verdict = "not_worse"
    low = find_bound(worse, -widest, widest, needed)
    high = -find_bound(
        lambda at: float(compared.not_worse(-at, least)), -widest, widest, promotes
    )
    started = _start(
        metric,
        config,
        verdict,
        int(compared.canary.total),
        int(compared.main.total),
    )
    shown = [_mean(metric, one) for one in (compared.canary, compared.main)]
    excess = float(compared.excess)
    return replace(
        started,
        canary=shown[0],
        main=shown[1],
        excess=_shown(metric, excess),
        low=_shown(metric, low) if low > -widest else None,
        high=_shown(metric, high) if high < widest else None,
        evidence=worse(margin.rollback or 0.0) / math.log(10),
    )


def _mean(metric: Metric, sums: Sums) -> float:
    mean = float(sums.y.sum() / sums.total)
    if metric.kind == "rate":
        return mean
    return math.expm1(mean) if metric.is_length else math.exp(mean)


def _start(
    metric: Metric,
    config: CanaryAnalysisConfig,
    verdict: Verdict,
    num_canary: int,
    num_main: int,
) -> MetricResult:
    margin = margin_of(metric, config)
    return MetricResult(
        metric.name,
        metric.meaning,
        "points" if metric.kind == "rate" else "ratio",
        metric.role,
        verdict,
        num_canary,
        num_main,
        rollback=_shown(metric, margin.rollback),
        promote=_shown(metric, margin.promote),
    )


def _shown(metric: Metric, value: float | None) -> float | None:
    return math.exp(value) if metric.kind == "log" and value is not None else value
