from dataclasses import replace

import pytest
from scored_predictions import CONFIG, predictions

from graft.evaluation.scoring import choose_samples, score, to_report
from graft.metrics import get_metrics


def numbers(value: object, path: str = "") -> dict[str, float]:
    """What `dvc metrics show` makes columns of: numbers and texts outside lists."""
    if isinstance(value, dict):
        found: dict[str, float] = {}
        for key, item in value.items():
            found |= numbers(item, f"{path}.{key}".strip("."))
        return found
    return {path: value} if isinstance(value, int | float | str) else {}


def test_a_report_shows_base_tuned_and_difference_of_each_metric_and_no_more():
    scores = score(predictions(), get_metrics(["bleu", "chrf"]), CONFIG)
    shown = numbers(to_report(scores))
    systems = ("base", "tuned", "difference")
    columns = {f"{system}.{name}" for system in systems for name in ("bleu", "chrf")}
    assert set(shown) == columns | {"num_examples"}
    assert shown["num_examples"] == 40
    assert shown["base.bleu"] < shown["tuned.bleu"] < 100


def test_a_report_contains_intervals_signatures_and_significant_differences():
    report = to_report(score(predictions(), get_metrics(["bleu", "chrf"]), CONFIG))
    for system in ("base", "tuned", "difference"):
        for name in ("bleu", "chrf"):
            low, high = report["intervals"][system][name]
            assert low <= report[system][name] <= high
    assert report["significant_differences"] == ["bleu", "chrf"]
    assert report["signatures"][0].startswith("bleu: nrefs:1|case:mixed|eff:no|tok:13a")


def test_equal_predictions_give_equal_reports():
    metrics = get_metrics(["bleu"])
    one, same = (to_report(score(predictions(), metrics, CONFIG)) for _ in range(2))
    assert one == same


def test_strata_are_scored_separately_and_add_up():
    report = to_report(score(predictions(), get_metrics(["bleu"]), CONFIG))
    assert [part["stratum"] for part in report["strata"]] == ["a", "b"]
    assert sum(part["num_examples"] for part in report["strata"]) == 40


@pytest.mark.parametrize(("number", "expected"), [(5, 5), (0, 0), (99, 40)])
def test_samples_are_distinct_and_as_many_as_requested_if_possible(number, expected):
    samples = choose_samples(predictions(), number)
    assert len({row.id for row in samples}) == len(samples) == expected


def test_samples_come_from_all_strata_and_not_from_the_order_of_rows():
    samples = choose_samples(predictions(), 8)
    assert {row.stratum for row in samples} == {"a", "b"}
    assert samples == choose_samples(predictions()[::-1], 8)


def test_a_metric_that_cannot_be_computed_is_named_with_the_reason_and_never_0():
    report = to_report(
        score(predictions(), get_metrics(["bleu", "perplexity"]), CONFIG)
    )
    assert set(report["tuned"]) == {"bleu"}
    assert len(report["not_computed"]) == 1
    assert report["not_computed"][0].startswith("perplexity: the predictions have no")


def test_perplexity_is_computed_from_the_predictions_likelihoods():
    rows = [
        replace(row, base_nll=20.0, tuned_nll=10.0, num_tokens=10, num_bytes=40)
        for row in predictions()
    ]
    report = to_report(score(rows, get_metrics(["perplexity"]), CONFIG))
    assert (report["base"], report["tuned"]) == (
        {"perplexity": 7.39},
        {"perplexity": 2.72},
    )
    assert report["relative_changes"] == ["perplexity: -63.2 %"]
