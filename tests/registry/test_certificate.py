from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from graft.config import BudgetConfig, CertificateConfig
from graft.errors import HardwareError
from graft.registry.certificate import (
    WayAnswers,
    divergence,
    judge,
    make_certificate,
)
from graft.registry.certificate_text import to_text

BUDGET = BudgetConfig(min_agreement=0.9, max_kl=0.01, max_metric_difference=1.0)
TEXTS = ["Le chat dort.", "Il est tard."]


def logprobs(*shares: float) -> np.ndarray:
    """One place with these probabilities."""
    with np.errstate(divide="ignore"):
        return np.log(np.array([shares], np.float32))


REFERENCE = [logprobs(0.5, 0.3, 0.2), logprobs(0.9, 0.05, 0.05)]
SAME = WayAnswers(TEXTS, REFERENCE)


def test_a_way_that_answers_as_evaluated_passes():
    report = judge(TEXTS, REFERENCE, SAME, 0.0, BUDGET)
    assert (report.problem, report.agreement, report.kl) == ("", 1.0, 0.0)
    assert report.num_places == 2


@pytest.mark.parametrize(
    ("answers", "metric", "problem"),
    [
        (WayAnswers(["Le chat dort.", "Non."], REFERENCE), 0.0, "50.0% of answers"),
        (WayAnswers(TEXTS, REFERENCE[::-1]), 0.0, "mean KL"),
        (WayAnswers(TEXTS, [one * np.nan for one in REFERENCE]), 0.0, ""),
        (WayAnswers(TEXTS, []), 0.0, "mean KL nan"),
        (SAME, -1.5, "metric differs by -1.50"),
        (SAME, float("nan"), "metric differs"),
    ],
)
def test_each_budget_that_is_missed_is_named(answers, metric, problem):
    assert problem in judge(TEXTS, REFERENCE, answers, metric, BUDGET).problem


def test_a_way_that_stops_has_failed_and_says_why():
    def broken() -> WayAnswers:
        raise ValueError("no such template\nmore")

    ways = {"pyfunc": lambda: SAME, "api": broken}
    made = make_certificate(
        "3", "bleu", TEXTS, REFERENCE, ways, dict.fromkeys(ways, BUDGET), lambda _: 0.0
    )
    assert made.status == "failed"
    assert made.reason == "api: ValueError: no such template"
    assert made.tags()["certificate/reason"] == made.reason
    assert made.to_json()["ways"]["pyfunc"]["agreement"] == 1.0


def test_only_a_merged_model_may_be_too_large_for_the_machine():
    def too_large() -> WayAnswers:
        raise HardwareError("a GPU", "the model has 140 GiB in bfloat16")

    for way, status in (("merged", "passed"), ("api", "failed")):
        ways = {"evaluation": lambda: SAME, way: too_large}
        made = make_certificate(
            "3", "bleu", TEXTS, REFERENCE, ways, dict.fromkeys(ways, BUDGET), len_zero
        )
        assert made.status == status
        reason = made.tags()[
            "certificate/not_run" if way == "merged" else "certificate/reason"
        ]
        assert reason.startswith(f"{way}: ") and "140 GiB" in reason
        assert ("not run: " in to_text(made, "m/3")) == (way == "merged")


def test_a_certificate_without_a_failure_is_passed():
    made = make_certificate(
        "3", "bleu", TEXTS, REFERENCE, {"api": lambda: SAME}, {"api": BUDGET}, len_zero
    )
    assert made.tags() == {
        "certificate": "passed",
        "certificate/reason": "none",
        "certificate/not_run": "none",
    }


def len_zero(_: object) -> float:
    return 0.0


shares = st.lists(st.floats(0.01, 1), min_size=4, max_size=4)


def normalized(values: list[float]) -> np.ndarray:
    return np.log(np.array([values], np.float32) / np.float32(sum(values)))


@given(shares, shares)
def test_the_divergence_is_that_of_its_definition(p, q):
    one, other = normalized(p), normalized(q)
    expected = (np.exp(one) * (one - other)).sum()
    assert divergence(one, other) == pytest.approx([expected], abs=1e-5)
    assert divergence(one, other) >= -1e-6


@given(shares, shares, st.integers(1, 4))
def test_unreported_tokens_only_lower_the_divergence(p, q, number):
    one, other = normalized(p), normalized(q)
    partly = other.copy()
    partly[0, number:] = np.nan
    assert divergence(one, partly) <= divergence(one, other) + 1e-5
    assert divergence(one, partly) >= -1e-6


def test_the_merged_model_has_a_budget_of_its_own():
    values = yaml.safe_load(Path("configs/certificate/default.yaml").read_bytes())
    config = CertificateConfig.model_validate(values)
    assert config.budget("merged") == config.merged
    assert config.budget("api") == config.budget("pyfunc") == config.same
