"""The evidence: its error rates, its symmetries, and what it depends on."""

import math
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from canary_traffic import START_MS, served, to_table
from hypothesis import given, settings
from hypothesis import strategies as st

from graft.config.monitoring import CanaryAnalysisConfig
from graft.config.params import load_params
from graft.monitoring.canary.analysis import analyse
from graft.monitoring.canary.comparison import Sums, estimate
from graft.monitoring.canary.evidence import find_bound, log_e_normal
from graft.monitoring.canary.rates import log_e_rates
from graft.monitoring.canary.report import CanaryReport

CONFIG: CanaryAnalysisConfig = load_params(
    Path(__file__).parents[3] / "params.yaml"
).monitoring.canary
Rows = list[dict[str, Any]]


def verdict(rows: Rows) -> CanaryReport:
    return analyse(to_table(rows), {}, CONFIG, now_ms=START_MS + 60_000)


@cache
def base(number: int, error_rate: float) -> Rows:
    return [
        *served(number, "main"),
        *served(number, "canary", seed=1, error_rate=error_rate),
    ]


@settings(max_examples=4, deadline=None)
@given(st.integers(0, 10_000))
def test_the_order_of_rows_does_not_matter(seed: int) -> None:
    rows = base(100, 0.1)
    expected, mixed = verdict(rows), list(rows)
    np.random.default_rng(seed).shuffle(mixed)
    found = verdict(mixed)
    assert (found.state, found.num_canary) == (expected.state, expected.num_canary)
    for one, two in zip(found.metrics, expected.metrics, strict=True):
        assert one.verdict == two.verdict
        assert (one.evidence or 0) == pytest.approx(two.evidence or 0, abs=1e-6)


@settings(max_examples=4, deadline=None)
@given(st.integers(0, 300), st.sampled_from([0.02, 0.5]))
def test_more_errors_never_turn_a_rollback_into_a_promotion(
    more: int, error_rate: float
) -> None:
    rows = [dict(row) for row in base(300, error_rate)]
    before = verdict(rows).state
    good = [r for r in rows if r["group"] == "canary" and r["outcome"] == "completed"]
    for row in good[:more]:
        row["outcome"] = "failed"
    after = verdict(rows).state
    assert not (before == "rollback" and after == "promote")
    assert before != "rollback" or after == "rollback"


@given(
    st.integers(0, 50), st.integers(50, 400), st.integers(0, 50), st.integers(50, 400)
)
def test_more_bad_requests_are_more_evidence(
    bad: int, number: int, other: int, total: int
) -> None:
    counts = [np.asarray([float(v)]) for v in (bad, number, other, total)]
    more = [counts[0] + 1, *counts[1:]] if bad < number else counts
    e, more_e = log_e_rates(*counts, 0.0)[0], log_e_rates(*more, 0.0)[0]
    is_higher = bad / number > other / total
    assert not is_higher or more_e >= e - 1e-9
    assert log_e_rates(*counts, 0.05)[0] <= max(e, 0.0) + 5


@pytest.mark.parametrize("rate", [0.005, 0.1, 0.5])
def test_equal_rates_are_rarely_told_apart_at_any_time(rate: float) -> None:
    random = np.random.default_rng(1)
    shape = (400, 2000)
    is_first, bad = random.random(shape) < 0.3, random.random(shape) < rate
    totals = [np.cumsum(one, 1) for one in (is_first & bad, is_first)]
    totals += [np.cumsum(one, 1) for one in (~is_first & bad, ~is_first)]
    crossed = np.zeros(400, bool)
    for look in range(50, 2000, 50):
        at = [one[:, look].astype(float) for one in totals]
        crossed |= log_e_rates(*at, 0.0) > math.log(1 / 0.05)
    assert crossed.mean() <= 0.05


def test_requests_of_few_clients_are_less_evidence() -> None:
    random = np.random.default_rng(0)
    y, clients = random.normal(0, 0.1, 400), np.arange(400) // 40
    y += random.normal(0, 1, 10)[clients]
    alike = Sums.of(y, 0 * y, clients)
    apart = Sums.of(y, 0 * y, np.arange(400))
    assert alike.clients == pytest.approx(10) and apart.clients == 400
    shifted = Sums.of(y + 1, 0 * y, clients), Sums.of(y + 1, 0 * y, np.arange(400))
    few = estimate("log", shifted[0], alike)
    many = estimate("log", shifted[1], apart)
    assert few.excess == pytest.approx(many.excess)
    assert few.variance > 10 * many.variance
    assert few.worse(0.0, 5) < math.log(20) < many.worse(0.0, 5)


def test_a_mean_is_adjusted_for_its_covariate() -> None:
    random = np.random.default_rng(0)
    x = [random.normal(0, 1, 500), random.normal(1, 1, 500)]
    sums = [Sums.of(2 * one, one, np.arange(500)) for one in x]
    assert estimate("log", *sums).excess == pytest.approx(0.0, abs=1e-9)


def test_the_bound_is_where_the_evidence_suffices() -> None:
    def evidence(at: float) -> float:
        excess = np.asarray(1.0 - at)
        return float(log_e_normal(excess, np.asarray(0.01), np.asarray(1e6), 0.3))

    low = find_bound(evidence, -5.0, 5.0, math.log(20))
    assert 0.5 < low < 0.8 and evidence(low) >= math.log(20) > evidence(low + 1e-3)
    assert find_bound(lambda _: 0.0, -5.0, 5.0, 1.0) == -5.0
