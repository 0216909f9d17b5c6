"""The gate promotes on evidence, and names the rule that a version does not keep."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from registered_versions import GATE, WORDS

from graft.errors import ConfigError
from graft.records import Prediction
from graft.registry.attempts import FIRST, Attempt, next_attempt
from graft.registry.candidate import Candidate
from graft.registry.gate import Verdict, identify, judge, judge_first

ONCE = next_attempt([], 0, 20)
COSTS = {"tuned/latency_p95_ms": 10.0, "evaluate/memory_gib": 1.0}
PASSED = {"requirements": "passed", "certificate": "passed"}


def candidate(
    version: str,
    errors: Sequence[bool],
    **metrics: float,
) -> Candidate:
    """A version whose answers are wrong where `errors` is true."""
    generator = np.random.default_rng(5)
    rows = []
    for number, is_wrong in enumerate(errors):
        text = " ".join(generator.choice(WORDS, 9))
        rows.append(
            Prediction(
                id=f"{number}",
                stratum=["de", "fr"][number % 2],
                prompt=f"say {text}",
                references=[text],
                base="",
                tuned=text.replace("a ", "the ") + " or not" if is_wrong else text,
            )
        )
    costs = {**COSTS, **{name.replace("__", "/"): v for name, v in metrics.items()}}
    return Candidate(version, rows, PASSED, costs, "cpu")


def wrong(number: int, share: float, seed: int = 0) -> list[bool]:
    return list(np.random.default_rng(seed).random(number) < share)


def improved(errors: Sequence[bool], number: int) -> list[bool]:
    """The errors without the first `number`."""
    places = [place for place, is_wrong in enumerate(errors) if is_wrong][:number]
    return [is_wrong and place not in places for place, is_wrong in enumerate(errors)]


def decide(
    challenger: Candidate,
    champion: Candidate,
    metrics: Sequence[str] = ("bleu",),
    attempt: Attempt = ONCE,
    **gate: Any,
) -> Verdict:
    config = GATE.model_copy(update=gate)
    return judge(challenger, champion, config, metrics, seed=1, attempt=attempt)


def failed(verdict: Verdict) -> list[str]:
    return [check.rule for check in verdict.failed]


GOOD, BAD = candidate("2", wrong(200, 0.1)), candidate("1", wrong(200, 0.5, 1))


def test_a_clearly_better_version_is_promoted_with_all_numbers() -> None:
    verdict = decide(GOOD, BAD)
    assert verdict.passed
    gain = verdict.checks[0]
    assert gain.rule == "gain" and gain.low is not None and gain.low > 0
    assert gain.challenger is not None and gain.champion is not None
    assert gain.gain == pytest.approx(gain.challenger - gain.champion)
    assert gain.confidence == pytest.approx(0.95)
    assert gain.resampling_error is not None and 0 < gain.resampling_error < 1


def test_identical_predictions_never_promote() -> None:
    verdict = decide(replace(GOOD, version="3"), GOOD)
    assert failed(verdict) == ["gain"]
    assert "identical" in verdict.failed[0].found


def test_a_tie_of_different_predictions_never_promotes() -> None:
    errors = wrong(200, 0.3)
    turned = candidate("2", [errors[number ^ 2] for number in range(200)])
    verdict = decide(turned, candidate("1", errors), metrics=["exact_match"])
    assert verdict.failed[0].gain == 0 and failed(verdict) == ["gain"]


def test_a_refusal_says_what_would_have_sufficed() -> None:
    mixed = [place % 20 == 0 or e for place, e in enumerate(wrong(200, 0.5, 1))]
    slightly = candidate("2", improved(mixed, 9))
    (gain,) = decide(slightly, BAD).failed
    assert gain.gain is not None and gain.gain > 0
    assert gain.sufficient.startswith("a gain above ")
    assert "the same gain on about" in gain.sufficient


def test_four_changed_examples_prove_nothing() -> None:
    slightly = candidate("2", improved(wrong(200, 0.5, 1), 4))
    (gain,) = decide(slightly, BAD).failed
    assert gain.low is not None and gain.low > 0  # the bootstrap alone would promote
    assert gain.p_value == pytest.approx(1 / 16, abs=0.01)


def test_a_gain_below_the_least_gain_is_refused() -> None:
    gain = decide(GOOD, BAD).checks[0]
    assert gain.low is not None
    verdict = decide(GOOD, BAD, min_gain=gain.low + 1)
    assert failed(verdict) == ["gain"]


def test_a_lower_metric_that_is_better_decides_in_its_direction() -> None:
    def with_nll(one: Candidate, nll: float) -> Candidate:
        rows = [
            replace(
                row,
                base_nll=1.0,
                tuned_nll=nll + 0.1 * (number % 7),
                num_tokens=9,
                num_bytes=40,
            )
            for number, row in enumerate(one.predictions)
        ]
        return replace(one, predictions=rows)

    better, worse = with_nll(GOOD, 3.0), with_nll(BAD, 5.0)
    assert decide(better, worse, metrics=["perplexity"]).passed
    assert failed(decide(worse, better, metrics=["perplexity"])) == ["gain"]


@pytest.mark.parametrize(
    "tags, rules",
    [
        ({"requirements": "failed"}, ["requirements"]),
        ({"requirements": "passed", "certificate": "failed"}, ["certificate"]),
        ({"requirements": "passed"}, []),
        ({}, []),
    ],
)
def test_requirements_and_certificate_hold(
    tags: Mapping[str, str], rules: list[str]
) -> None:
    assert failed(decide(replace(GOOD, tags=tags), BAD)) == rules


def test_a_certificate_may_be_required() -> None:
    bare = replace(GOOD, tags={"requirements": "passed"})
    assert failed(decide(bare, BAD, require_certificate=True)) == ["certificate"]


@pytest.mark.parametrize("status", ["none", "failed"])
def test_the_first_champion_needs_requirements(status: str) -> None:
    verdict = judge_first(replace(GOOD, tags={"requirements": status}), GATE)
    assert failed(verdict) == ["requirements"]
    assert judge_first(GOOD, GATE).passed


def test_costs_stay_within_their_budgets() -> None:
    slow = candidate("2", wrong(200, 0.1), tuned__latency_p95_ms=15.1)
    large = candidate("2", wrong(200, 0.1), evaluate__memory_gib=1.21)
    assert failed(decide(slow, BAD)) == ["latency"]
    assert failed(decide(large, BAD)) == ["memory"]
    assert decide(slow, BAD, max_latency_ratio=None).passed


def test_costs_on_another_device_are_not_compared() -> None:
    other = replace(GOOD, device="NVIDIA H100")
    assert failed(decide(other, BAD)) == ["latency", "memory"]


def test_a_guardrail_that_is_worse_by_more_than_its_margin_stops() -> None:
    long = replace(
        GOOD,
        predictions=[
            replace(row, tuned=f"{row.tuned} {'x' * 9 * (n % 3)}")
            for n, row in enumerate(GOOD.predictions)
        ],
    )
    metrics = ["bleu_1"]
    verdict = decide(long, GOOD, metrics, guardrails={"exact_match": 1.0})
    assert "guardrail exact_match" in failed(verdict)
    small = decide(GOOD, BAD, metrics, guardrails={"exact_match": 1.0})
    assert small.passed


def test_a_stratum_that_collapses_stops_although_the_whole_gains() -> None:
    errors = wrong(200, 0.6, 1)
    collapsed = candidate("2", [n % 2 == 0 and n % 20 < 8 for n in range(200)])
    champion = candidate("1", [n % 2 == 1 and errors[n] for n in range(200)])
    gate = {"guardrails": {"exact_match": 10.0}}
    verdict = decide(collapsed, champion, ["exact_match"], **gate)
    assert "guardrail exact_match, de" in failed(verdict)
    assert "guardrail exact_match, fr" not in failed(verdict)


def test_a_guardrail_must_exist_and_have_a_direction() -> None:
    for name in ("response_length", "none"):
        with pytest.raises(ConfigError, match=f"registry.gate.guardrails.{name}"):
            decide(GOOD, BAD, guardrails={name: 1.0})
    with pytest.raises(ConfigError, match="registry.gate.metric"):
        decide(GOOD, BAD, metric="none")


def test_another_test_set_is_refused_with_its_reason() -> None:
    shorter = replace(GOOD, predictions=GOOD.predictions[1:])
    verdict = decide(shorter, BAD)
    assert failed(verdict) == ["test set"]
    assert "199 of its 199 test examples are among the 200" in verdict.failed[0].found


def test_the_order_of_predictions_does_not_matter() -> None:
    turned = replace(GOOD, predictions=GOOD.predictions[::-1])
    assert decide(turned, BAD) == decide(GOOD, BAD)
    assert identify(turned, BAD, "bleu") == identify(GOOD, BAD, "bleu")
    assert identify(BAD, GOOD, "bleu") != identify(GOOD, BAD, "bleu")


def test_a_later_attempt_needs_more_confidence_and_the_last_is_refused() -> None:
    later = decide(GOOD, BAD, attempt=next_attempt([FIRST], 0, 20))
    assert later.checks[0].confidence == pytest.approx(1 - 2 * 0.025 / 19)
    none = decide(GOOD, BAD, attempt=next_attempt([FIRST], 0, 1))
    assert failed(none) == ["attempts"]


@pytest.mark.parametrize("seed", range(4))
def test_the_decision_does_not_depend_on_the_seed(seed: int) -> None:
    found = judge(GOOD, BAD, GATE, ["bleu"], seed=seed, attempt=ONCE)
    assert found.passed
