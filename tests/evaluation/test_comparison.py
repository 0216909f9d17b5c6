"""Variants side by side: the same draws, significant differences, what is left out."""

import json
import random
from dataclasses import replace

import numpy as np
import pytest

from graft.evaluation.comparison import compare_variants
from graft.evaluation.comparison_tables import to_json, to_markdown, to_text, verdicts
from graft.evaluation.scoring import to_segments
from graft.evaluation.variants import Variant, comparable, differing
from graft.metrics import compare, get_metrics
from graft.records import Prediction

METRICS = get_metrics(["answer_f1", "answer_match"])
DRAWS = {"num_resamples": 300, "seed": 7, "min_differences": {}}


def make(
    name: str, share: float, *, number: int = 120, base: str = "no", **params: str
) -> Variant:
    """A variant that answers a share of the examples right, the easy ones first."""
    rows = [
        Prediction(
            id=f"{i}",
            stratum="en",
            prompt=f"what is {i}",
            references=[f"number {i}"],
            base=base,
            tuned=f"number {i}" if i < share * number else "something",
        )
        for i in range(number)
    ]
    return Variant(name, rows, params=params, run_id=f"{name}-id", version="1")


def test_numbers_are_those_of_a_comparison_of_two_systems() -> None:
    good, bad = make("good", 0.8), make("bad", 0.4)
    found = compare_variants([bad, good], METRICS, **DRAWS)
    assert [row.name for row in found.variants] == ["good", "bad"]
    base = to_segments(good.predictions, "base")
    tuned = {v.name: to_segments(v.predictions, "tuned") for v in (good, bad)}
    for row in found.variants:
        assert row.to_base == compare(METRICS, base, tuned[row.name], **DRAWS)
    second = compare(METRICS, tuned["good"], tuned["bad"], **DRAWS)
    assert found.variants[1].to_best == second
    assert second["answer_f1"].is_significant
    lead = compare(METRICS, tuned["bad"], tuned["good"], **DRAWS)["answer_f1"]
    assert found.lead is not None
    assert found.lead.base == lead.base and found.lead.tuned == lead.tuned
    bounds = (found.lead.difference.low, found.lead.difference.high)
    assert np.allclose(bounds, (lead.difference.low, lead.difference.high))


def test_a_significant_lead_below_min_difference_is_negligible() -> None:
    options = {**DRAWS, "min_differences": {"answer_f1": 60.0}}
    found = compare_variants([make("a", 0.8), make("b", 0.4)], METRICS, **options)
    assert found.lead is not None and found.lead.is_negligible
    assert "~ significant, negligible" in to_text(found)
    assert not found.variants[0].to_base["answer_f1"].is_negligible


def test_chunks_of_one_text_are_resampled_together() -> None:
    one, two = make("one", 0.5), make("two", 0.7)
    few = [
        replace(
            v,
            predictions=[replace(r, group=str(int(r.id) // 30)) for r in v.predictions],
        )
        for v in (one, two)
    ]
    alone = compare_variants([one, two], METRICS, **DRAWS).lead
    together = compare_variants(few, METRICS, **DRAWS).lead
    assert alone is not None and together is not None
    assert alone.is_significant and not together.is_significant
    assert alone.difference.value == together.difference.value


def test_a_small_lead_is_not_significant() -> None:
    one, two = make("one", 0.5), make("two", 0.5 + 1 / 120)
    found = compare_variants([one, two], METRICS, **DRAWS)
    assert found.best is not None and found.best.name == "two"
    assert found.lead is not None and not found.lead.is_significant
    said = "\n".join(verdicts(found))
    assert "best by" in said and "might rank the variants differently" in said
    assert to_json(found)["best_is_significant"] is False


def test_lower_is_better_if_the_metric_is_so_defined() -> None:
    def likely(name: str, nll: float) -> Variant:
        variant = make(name, 0.5)
        rows = [
            replace(row, base_nll=9.0, tuned_nll=nll, num_tokens=3, num_bytes=9)
            for row in variant.predictions
        ]
        return replace(variant, predictions=rows)

    metrics = get_metrics(["perplexity"])
    found = compare_variants(
        [likely("far", 6.0), likely("near", 3.0)], metrics, **DRAWS
    )
    assert found.best is not None and found.best.name == "near"
    assert found.variants[1].to_best["perplexity"].difference.value > 0
    assert "✗" in to_text(found) and "✓" in to_text(found)


def test_a_metric_that_cannot_be_computed_does_not_rank() -> None:
    metrics = get_metrics(["perplexity", "answer_match"])
    found = compare_variants([make("a", 0.4), make("b", 0.5)], metrics, **DRAWS)
    assert [metric.name for metric in found.metrics] == ["answer_match"]
    assert found.best is not None and found.best.name == "b"
    assert "perplexity not computed: " in to_text(found)
    nothing = compare_variants([make("a", 0.4)], get_metrics(["perplexity"]), **DRAWS)
    assert nothing.best is None and "no best" in to_text(nothing)


def test_a_descriptive_metric_does_not_rank() -> None:
    named = get_metrics(["distinct_1", "distinct_2", "repetition"])
    neutral = [replace(metric, better="neither") for metric in named]
    found = compare_variants([make("a", 0.4), make("b", 0.9)], neutral, **DRAWS)
    assert found.best is None and found.lead is None
    assert "to best" not in to_text(found)
    assert to_json(found)["best"] is None


def test_other_test_examples_leave_a_variant_out_with_the_reason() -> None:
    first, fewer, same = (
        make("first", 0.5),
        make("fewer", 0.5, number=60),
        make("s", 0.6),
    )
    changed = make("changed", 0.5)
    changed.predictions[3].references[0] = "another"  # type: ignore[index]
    kept, left_out = comparable([first, fewer, same, changed])
    assert [variant.name for variant in kept] == ["first", "s"]
    assert "60 of its 60" in left_out["fewer"] and "120 of first" in left_out["fewer"]
    assert "119 of its 120" in left_out["changed"]


def test_the_order_of_a_runs_examples_does_not_matter() -> None:
    one, two = make("one", 0.4), make("two", 0.7)
    rows = list(two.predictions)
    random.Random(1).shuffle(rows)
    shuffled, _ = comparable([one, replace(two, predictions=rows)])
    straight = compare_variants([one, two], METRICS, **DRAWS)
    assert to_json(compare_variants(shuffled, METRICS, **DRAWS)) == to_json(straight)


def test_variants_of_other_bases_are_paired_each_with_its_own() -> None:
    weak, strong = make("weak", 0.5), make("strong", 0.5, base="number 1")
    found = compare_variants([weak, strong], METRICS, **DRAWS)
    assert [row.name for row in found.bases] == ["base of weak", "base of strong"]
    gain = {row.name: row.to_base["answer_f1"].base.value for row in found.variants}
    assert gain["weak"] == 0 < gain["strong"]
    shared = compare_variants([weak, make("other", 0.5)], METRICS, **DRAWS)
    assert [row.name for row in shared.bases] == ["base"]


def test_only_parameters_that_differ_are_shown() -> None:
    variants = [
        replace(make(rank, 0.5), params={"adapter.rank": rank, "train.seed": "1"})
        for rank in ("8", "16")
    ]
    variants.append(replace(make("old", 0.5), params={"adapter.rank": "8"}))
    assert differing(variants) == ["adapter.rank"]
    found = compare_variants(variants, METRICS, **DRAWS)
    head, *_ = to_text(found).splitlines()
    assert "adapter.rank" in head and "train.seed" not in head


def test_text_markdown_and_json_agree() -> None:
    costs = {
        "tuned/latency_p50_ms": 41.0,
        "tuned/latency_p95_ms": 63.0,
        "tuned/tokens_per_s": 1234.0,
        "base/tokens_per_s": 999.0,
        "evaluate/memory_gib": 5.25,
    }
    one = replace(make("one|1", 0.8), metrics=costs, aliases=("challenger",))
    two = replace(make("two", 0.5), metrics=costs, version=None)
    found = compare_variants([one, two], METRICS, **DRAWS)
    text, page, plain = to_text(found), to_markdown(found), to_json(found)
    for form in (text, page):
        for cell in ("41 / 63", "1,234", "999", "5.25", "1 challenger"):
            assert cell in form
        assert "not registered" in form
    (table,) = [part for part in page.split("\n\n") if "to best" in part][:1]
    bars = {line.replace(r"\|", "").count("|") for line in table.splitlines()}
    assert len(bars) == 1, "a name breaks out of its cell"
    assert plain["best"] == "one|1" and plain["best_is_significant"] is True
    row = plain["rows"][1]
    assert row["costs"]["latency_p95_ms"] == 63.0 and row["version"] == "1"
    assert (
        row["to_best"] == {} and row["to_base"]["answer_f1"]["is_significant"] is True
    )
    assert json.loads(json.dumps(plain)) == plain


def test_one_variant_has_no_runner_up() -> None:
    found = compare_variants([make("only", 0.8)], METRICS, **DRAWS)
    assert found.lead is None
    assert "runner-up" not in to_text(found)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_equal_variants_keep_their_order_and_have_no_difference(share: float) -> None:
    found = compare_variants([make("b", share), make("a", share)], METRICS, **DRAWS)
    assert [row.name for row in found.variants] == ["b", "a"]
    assert found.lead is not None and found.lead.difference.value == 0
    assert not found.lead.is_significant
