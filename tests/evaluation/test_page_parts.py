import dataclasses
import html
import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scored_predictions import CONFIG, predictions

from graft.evaluation.page.extremes import (
    NUM_SHOWN,
    Scored,
    choose_extremes,
    score_each,
    weigh,
)
from graft.evaluation.page.figures import compare_metrics
from graft.evaluation.page.histograms import Sample, histogram
from graft.evaluation.page.texts import HEAD, TAIL, is_address, mark_words, show
from graft.evaluation.scoring import score
from graft.evaluation.verdicts import comparison_digits, headline, judge
from graft.metrics import METRICS, Comparison, Metric, get_metrics
from graft.pages.numbers import digits_of, number
from graft.records import Prediction, Score

BLEU = METRICS["bleu"]
PERPLEXITY = dataclasses.replace(BLEU, title="perplexity", better="lower")
LENGTH = dataclasses.replace(BLEU, title="length", better="neither")
finite = st.floats(-1e9, 1e9)


def comparison(base: float, tuned: float, low: float, high: float) -> Comparison:
    return Comparison(
        Score(base, base - 1, base + 1),
        Score(tuned, tuned - 1, tuned + 1),
        Score(tuned - base, low, high),
    )


def scored(pairs: list[tuple[float, float]]) -> list[Scored]:
    return [
        Scored(Prediction(f"{i:03}", "", "p", ["r"], "b", "t"), base, tuned)
        for i, (base, tuned) in enumerate(pairs)
    ]


def test_a_significant_difference_that_does_not_matter_is_negligible():
    found = dataclasses.replace(comparison(20, 20.4, 0.1, 0.7), min_difference=0.5)
    assert judge(BLEU, found).text == "significant, negligible"
    said = headline(BLEU, found, 5000)
    assert said.endswith("is significant, but negligible.")
    unclear = dataclasses.replace(comparison(20, 20.4, -0.1, 0.7), min_difference=0.5)
    assert judge(BLEU, unclear).text == "not significant"


@pytest.mark.parametrize(
    ("metric", "tuned", "low", "high", "kind"),
    [
        (BLEU, 30, 5, 15, "better"),
        (BLEU, 10, -15, -5, "worse"),
        (BLEU, 21, -1, 3, "insignificant"),
        (PERPLEXITY, 10, -15, -5, "better"),
        (PERPLEXITY, 30, 5, 15, "worse"),
        (LENGTH, 30, 5, 15, "changed"),
    ],
)
def test_a_verdict_knows_which_direction_is_better(
    metric: Metric, tuned: float, low: float, high: float, kind: str
):
    assert judge(metric, comparison(20, tuned, low, high)).kind == kind


def test_a_headline_is_one_sentence_that_says_what_the_difference_is_worth():
    lower = headline(PERPLEXITY, comparison(20, 10, -15, -5), 1200)
    assert lower == (
        "Tuning lowered perplexity from 20.0 to 10.0 on 1,200 test examples: the "
        "paired difference, −10.0 (95 % interval −15.0 to −5.0), is a significant "
        "improvement."
    )
    assert "not significant" in headline(BLEU, comparison(20, 21, -1, 3), 5)
    assert "left BLEU at 20.0" in headline(BLEU, comparison(20, 20, 0, 0), 5)


def test_best_worst_and_most_changed_are_found_whichever_way_is_better():
    pairs = [(50.0, 50.0)] * 30
    pairs[3], pairs[7], pairs[11], pairs[13] = (0, 90), (90, 0), (20, 20), (99, 99)
    for metric, order in ((BLEU, (3, 7, 11, 13)), (PERPLEXITY, (7, 3, 13, 11))):
        groups = choose_extremes(metric, scored(pairs))
        first = [int(group.examples[0].row.id) for group in groups]
        assert tuple(first) == order
        assert [len(group.examples) for group in groups] == [1, 1, 5, 5]


@given(st.lists(st.tuples(finite, finite), max_size=60), st.booleans())
def test_no_example_is_shown_twice_and_order_of_rows_does_not_matter(pairs, lower):
    metric, rows = (PERPLEXITY if lower else BLEU), scored(pairs)
    groups = choose_extremes(metric, rows)
    shown = [each.row.id for group in groups for each in group.examples]
    assert len(shown) == len(set(shown)) >= min(len(rows), NUM_SHOWN)
    assert groups == choose_extremes(metric, rows[::-1])
    balance = weigh(metric, rows)
    assert balance.better + balance.equal + balance.worse == len(rows)
    assert len(groups[0].examples) == min(NUM_SHOWN, balance.better)


def test_an_example_without_a_finite_score_is_left_out_of_the_extremes():
    rows = scored([(1, math.inf), (math.nan, 2), (1, 2)])
    groups = choose_extremes(BLEU, rows)
    assert [each.row.id for group in groups for each in group.examples] == ["002"]


def test_a_single_examples_score_is_the_metric_of_that_example_alone():
    rows = predictions(6)
    for each in score_each(METRICS["chrf"], rows):
        alone = score([each.row], get_metrics(["chrf"]), CONFIG).overall["chrf"]
        assert (each.base, each.tuned) == (alone.base.value, alone.tuned.value)


@pytest.mark.parametrize(
    ("value", "digits", "sign", "text"),
    [
        (1234.56, 1, "", "1,234.6"),
        (-0.04, 1, "+", "0.0"),
        (0.25, 2, "+", "+0.25"),
        (-3.0, 1, "", "−3.0"),
        (math.inf, 1, "", "∞"),
        (math.nan, 1, "", "undefined"),
    ],
)
def test_numbers_are_written_for_readers(value, digits, sign, text):
    assert number(value, digits, sign) == text


def test_small_values_get_more_digits_and_a_real_difference_never_looks_like_zero():
    assert [digits_of([value]) for value in (82.6, 4.31, 0.127)] == [1, 2, 3]
    assert comparison_digits(comparison(50, 50.2, 0.003, 0.4)) == 3
    assert comparison_digits(comparison(50, 50.2, -0.003, 0.4)) == 1


def test_a_histogram_counts_every_value_once_and_says_when_its_axis_is_short():
    words = np.array([0.0, 1, 1, 2, 3, 3, 3, 4] * 50 + [900.0])
    drawn = str(histogram("x", "t", [Sample("base", "b", words)], digits=1, whole=True))
    bars = dict(re.findall(r"<title>(\d+) (?:to \d+|and more): (\d+)", drawn))
    assert "4 and more: 51" in drawn
    assert bars == {"0": "50", "1": "100", "2": "50", "3": "150", "4": "51"}
    assert ">5+</text>" in drawn
    short = histogram("x", "t", [Sample("base", "b", words[:-1])], digits=1, whole=True)
    assert ">5</text>" in short


def test_a_logarithmic_histogram_counts_every_value_once_in_bins_of_one_factor():
    values = np.array([1.5, 20, 3000, 40_000, 71_683])
    samples = [Sample("base", "b", values)]
    drawn = str(histogram("x", "t", samples, digits=1, scale="log"))
    assert sum(map(int, re.findall(r": (\d+) \(", drawn))) == len(values)
    assert drawn.count("<rect") == len(values)
    places = re.findall(r'width="([\d.]+)%" y', drawn)
    assert len(set(places)) == 1


def test_perplexities_are_shown_on_a_logarithmic_axis_and_their_difference_is_not():
    found = comparison(70_000, 11_000, -60_000, -58_000)
    drawn = compare_metrics({"perplexity": found})
    assert len(drawn) == 1 and ">100,000</text>" in drawn[0].values
    assert ">20,000</text>" in drawn[0].values and ">0</text>" not in drawn[0].values
    assert ">0</text>" in drawn[0].differences
    bleu = compare_metrics({"bleu": comparison(20, 30, 5, 15)})
    assert ">0</text>" in bleu[0].values


def test_a_histogram_of_a_system_without_values_is_empty():
    samples = [Sample("base", "b", np.array([])), Sample("tuned", "t", np.array([1.0]))]
    drawn = str(histogram("x", "t", samples, digits=1))
    assert "b: none" in drawn and drawn.count("<rect") == 1
    assert "<rect" not in histogram("x", "t", samples[:1], digits=1)


def test_a_long_text_is_folded_and_keeps_its_beginning_and_end():
    long = "a" * HEAD + "b" * 5000 + "c" * TAIL
    text = show(long)
    assert text.preview.startswith("aaa") and text.markup.endswith("ccc")
    assert "5,000 characters left out" in text.markup and "b" not in text.markup[:HEAD]
    assert not show("short").preview and show("line\n" * 20).preview


@given(st.text(), st.text())
def test_marking_words_changes_no_letter(text, reference):
    marked = str(mark_words(text, reference))
    assert html.unescape(re.sub("</?mark>", "", marked)) == text


def test_words_that_differ_from_the_reference_are_marked():
    marked = mark_words("le chat <b> noir dort", "le chat rouge noir dort")
    assert marked == "le chat <mark>&lt;b&gt;</mark> noir dort"
    assert mark_words("nothing alike", "le chat dort") == "nothing alike"


def test_only_web_addresses_become_links():
    assert is_address("https://host/x") and is_address("http://host")
    assert not any(map(is_address, ("javascript:x", "data:text/html,x", "a/b.md", "")))
