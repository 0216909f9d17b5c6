"""Comparison of predictions and scores."""

from collections.abc import Sequence

import pytest
from generations import make_generated, make_prediction
from hypothesis import given
from hypothesis import strategies as st

from graft.registry.reproduce_comparison import (
    PredictionsComparison,
    compare_predictions,
    compare_scores,
)

TEXTS = st.lists(st.text("ab ", max_size=6), min_size=1, max_size=8)


def compare(first: Sequence[str], second: Sequence[str]) -> PredictionsComparison:
    """Compare tuned completions; those of the base are equal."""
    return compare_predictions(
        make_generated(
            *(make_prediction(f"{i}", text) for i, text in enumerate(first))
        ),
        make_generated(
            *(make_prediction(f"{i}", text) for i, text in enumerate(second))
        ),
    )


@given(TEXTS)
def test_equal_predictions_have_no_difference(texts: list[str]) -> None:
    found = compare(texts, texts)
    assert found.num_texts == 2 * len(texts) and found.num_different == 0
    assert found.words_different == found.largest_nll_difference == 0
    assert found.is_within(0) and not found.different and not found.missing


@given(TEXTS, st.data())
def test_the_examples_that_differ_are_named_in_order(
    texts: list[str], data: st.DataObject
) -> None:
    chosen = data.draw(st.sets(st.integers(0, len(texts) - 1), min_size=1))
    other = [text + "!" * (i in chosen) for i, text in enumerate(texts)]
    found = compare(texts, other)
    assert found.different == [str(i) for i in sorted(chosen)]
    assert found.texts_different == len(chosen) / (2 * len(texts))
    assert not found.is_within(0) and found.is_within(found.texts_different)


def test_words_count_from_the_first_that_differs() -> None:
    assert compare(["a b c d"], ["a b x d"]).words_different == 2 / (4 + 3)
    assert compare(["a b"], ["a b c"]).words_different == 0  # nothing was lost
    assert compare(["a b c"], ["a b"]).words_different == 1 / (3 + 3)


def test_an_example_that_only_one_has_is_never_within_a_tolerance() -> None:
    found = compare(["a", "b"], ["a"])
    assert found.missing == ["1"] and found.num_examples == 1
    assert not found.is_within(0.99)


def test_the_difference_of_likelihoods_is_relative() -> None:
    first = make_generated(make_prediction("1", "a", base_nll=2.0, tuned_nll=1.0))
    second = make_generated(make_prediction("1", "a", base_nll=2.0, tuned_nll=1.1))
    found = compare_predictions(first, second)
    assert found.largest_nll_difference == pytest.approx(0.1)
    without = make_generated(make_prediction("1", "a", base_nll=None, tuned_nll=None))
    assert compare_predictions(without, second).largest_nll_difference is None


def test_scores_that_differ_or_are_missing_have_both_values() -> None:
    first = {"base": {"bleu": 1.0, "chrf": 2.0}, "tuned": {"bleu": 3.0}}
    second = {"base": {"bleu": 1.0}, "tuned": {"bleu": 3.5}}
    assert compare_scores(first, first) == {}
    assert compare_scores(first, second) == {
        "base/chrf": (2.0, None),
        "tuned/bleu": (3.0, 3.5),
    }
