"""What did not learn does not pass."""

import dataclasses
import math
from pathlib import Path

import pytest
from evaluated_facts import make_facts
from hypothesis import given
from hypothesis import strategies as st
from scored_predictions import predictions

from graft.config import MetricRequirement, RequirementsConfig
from graft.config.params import check_params, load_params
from graft.errors import ConfigError, ModelError
from graft.evaluation.card import to_card
from graft.evaluation.outputs import evaluation_key, to_summary
from graft.evaluation.page import to_page
from graft.evaluation.requirements import Requirements, check_requirements
from graft.evaluation.scoring import Scores
from graft.metrics import Comparison
from graft.records import Score


def compared(
    base: float, tuned: float, low: float = math.nan, high: float = math.nan
) -> Comparison:
    """A comparison with the bounds of its difference."""
    return Comparison(
        Score(base, base, base),
        Score(tuned, tuned, tuned),
        Score(tuned - base, low, high),
    )


def scores(number: int = 100, **overall: Comparison) -> Scores:
    """Scores over all examples."""
    return Scores(number, overall, {}, {"meteor": "WordNet is not here"})


def required(least: int = 10, **metrics: dict[str, float]) -> RequirementsConfig:
    """Requirements as YAML gives them."""
    return RequirementsConfig.model_validate(
        {"min_examples": least, "metrics": metrics}
    )


NOTHING_LEARNED = scores(500, bleu=compared(0.0, 0.48, 0.30, 0.78))


@pytest.mark.parametrize("bound", [{"min": 70.0}, {"min_difference": 1.0}])
def test_a_significant_gain_that_is_far_too_small_fails(bound) -> None:
    found = check_requirements(required(bleu=bound), NOTHING_LEARNED)
    assert found.status == "failed" and not found.aliases
    with pytest.raises(ModelError, match="0.48|0.30") as caught:
        found.enforce("models/adapter", "3", "report.html")
    said = str(caught.value)
    assert "version 3" in said and f"{next(iter(bound.values())):g} required" in said


def test_the_repositorys_requirements_fail_for_an_untrained_adapter() -> None:
    config = load_params().evaluate.requirements
    assert check_requirements(config, NOTHING_LEARNED).status == "failed"
    good = scores(500, bleu=compared(0.0, 83.7, 82.0, 85.2))
    assert check_requirements(config, good).status == "passed"


@pytest.mark.parametrize(
    ("bounds", "found"),
    [
        ({"bleu": {"min": 70.0}}, {"bleu": compared(0.0, math.nan)}),
        ({"bleu": {"max": 70.0}}, {"bleu": compared(0.0, math.nan)}),
        ({"bleu": {"min_difference": 0.0}}, {"bleu": compared(math.nan, 5.0)}),
        ({"bleu": {"min_difference": 0.0}}, {"bleu": compared(0.0, 0.0, 0.0, 0.0)}),
        ({"bleu": {"min_difference": 0.0}}, {"bleu": compared(0.0, 2.0, -1.0, 4.0)}),
        ({"perplexity": {"min_difference": 0}}, {"perplexity": compared(9, 12, 2, 4)}),
        ({"perplexity": {"max": 6.0}}, {"perplexity": compared(9, 7, -3, -1)}),
        ({"meteor": {"min": 0.0}}, {"bleu": compared(0.0, 99.0, 98.0, 99.0)}),
        ({"no such metric": {"min": 0.0}}, {"bleu": compared(0.0, 99.0, 98.0, 99.0)}),
    ],
)
def test_undefined_missing_and_low_values_fail(bounds, found) -> None:
    result = check_requirements(required(**bounds), scores(**found))
    assert result.status == "failed"
    assert len(result.failed) == 1
    assert result.to_report()["requirements_failed"] == [result.failed[0].sentence]


def test_the_reason_is_shown_for_a_required_metric_that_was_not_computed() -> None:
    found = check_requirements(required(meteor={"min": 1.0}), scores())
    assert "WordNet is not here" in found.failed[0].sentence


def test_too_few_examples_fail_whatever_the_score() -> None:
    good = scores(9, bleu=compared(0.0, 99.0, 98.0, 99.5))
    found = check_requirements(required(10, bleu={"min": 70.0}), good)
    assert found.status == "failed"
    assert "9 test examples scored; at least 10 required" in found.failed[0].sentence


def test_a_lower_is_better_metric_gains_by_falling() -> None:
    found = scores(perplexity=compared(31_596.0, 3.2, -40_000.0, -25_000.0))
    asked = required(perplexity={"min_difference": 0.0, "max": 6.0})
    assert check_requirements(asked, found).status == "passed"


@pytest.mark.parametrize(
    "config",
    [None, required(), RequirementsConfig(min_examples=1, metrics={"bleu": None})],
)
def test_without_bounds_the_status_is_none_and_never_champion(config) -> None:
    found = check_requirements(config, scores(bleu=compared(0.0, 99.0)))
    assert found.status == "none"
    assert found.aliases == ("challenger",)
    found.enforce("models/adapter", None, "report.html")


@given(st.floats(allow_nan=True), st.floats(allow_nan=True), st.floats(-100, 100))
def test_only_values_within_their_bounds_pass(value, low, bound) -> None:
    found = scores(bleu=compared(0.0, value, low, low))
    for key, passes in (
        ("min", value >= bound),
        ("max", value <= bound),
        ("min_difference", not math.isnan(value) and low > bound),
    ):
        result = check_requirements(required(bleu={key: bound}), found)
        assert (result.status == "passed") == passes


@given(st.floats(0, 100), st.floats(0, 100))
def test_a_value_below_its_bound_is_never_shown_as_the_bound(
    value: float, least: float
):
    value, least = sorted((round(value, 5), round(least, 3)))
    if value == least:
        return
    found = scores(bleu=compared(0.0, value))
    (check,) = check_requirements(required(bleu={"min": least}), found).failed
    assert float(check.found.split()[-1]) < least


def test_a_bound_must_be_given_and_be_possible() -> None:
    for wrong in ({}, {"min": 3.0, "max": 2.0}, {"minimum": 3.0}):
        with pytest.raises(ValueError):
            MetricRequirement.model_validate(wrong)


def test_a_requirement_on_a_metric_that_is_not_computed_is_a_configuration_error():
    plain = load_params().to_plain()
    plain["evaluate"]["requirements"]["metrics"]["rouge_l"] = {"min": 10.0}
    with pytest.raises(ConfigError, match="metrics.rouge_l: not in evaluate.metrics"):
        check_params(plain, "params.yaml")
    plain["evaluate"]["requirements"]["metrics"]["rouge_l"] = None
    check_params(plain, "params.yaml")


def failing() -> Requirements:
    """A requirement that nothing reaches."""
    facts = make_facts(predictions())
    return check_requirements(required(bleu={"min": 101.0}), facts.scores)


def test_page_and_card_begin_with_a_failure_and_name_no_alias() -> None:
    rows = predictions()
    facts = make_facts(rows, requirements=failing())
    page, card = to_page(facts), to_card(facts)
    sentence = facts.requirements.failed[0].sentence
    body = page.partition("<body>")[2]
    assert body.index("Requirements failed") < body.index("<header>")
    assert sentence in body and 'class="alert"' in body
    text = card.split("---\n", 2)[2].lstrip()
    assert text.startswith("> [!CAUTION]") and sentence in text
    assert "@challenger" not in card and "/VERSION" in card
    assert "requirements: failed" in to_summary(facts, "3", Path("predictions"))


def test_page_and_card_show_which_requirements_were_met_or_that_there_were_none() -> (
    None
):
    rows = predictions()
    for config, words in (
        (None, "Requirements: none."),
        (required(bleu={"min": 1.0}), "at least 1 required"),
    ):
        facts = make_facts(rows)
        met = check_requirements(config, facts.scores)
        facts = dataclasses.replace(facts, requirements=met)
        for text in (to_page(facts), to_card(facts)):
            assert words in text and "Requirements failed" not in text


def test_the_same_evaluation_has_one_key_whatever_is_required() -> None:
    facts = make_facts(predictions())
    other = dataclasses.replace(facts, requirements=failing())
    assert evaluation_key(facts) == evaluation_key(other)
    changed = dataclasses.replace(facts, digests={"adapter": "another"})
    assert evaluation_key(facts) != evaluation_key(changed)
