import pytest
from hypothesis import given
from hypothesis import strategies as st

from graft.metrics import METRICS, Segments, compare, resample
from graft.metrics.diversity import distinct

TEXT = st.lists(st.sampled_from("a b c".split()), max_size=12).map(" ".join)


def test_values_computed_by_hand(value):
    assert value("distinct_1", "a b a b", "") == 50
    assert value("distinct_2", "a b a b", "") == pytest.approx(200 / 3)
    assert value("repetition", "a b c d a b c d", "") == pytest.approx(20)
    assert value("response_length", "a b a b", "") == 4


def test_texts_without_n_grams_do_not_count():
    segments = Segments(["a", "a b", "a b a b a"], [[""]] * 3, [""] * 3)
    found = METRICS["distinct_2"].score(segments, resample(3, 100, 0))
    assert found.value == pytest.approx((100 + 50) / 2)


def test_a_corpus_without_any_n_gram_has_0(value):
    assert value("distinct_2", "a", "") == 0
    assert value("repetition", "", "") == 0


def test_the_gold_answers_have_a_value_of_their_own():
    base = Segments(["a a", "a a"], [["a b"], ["c d"]], ["", ""])
    found = compare([METRICS["distinct_1"]], base, base, num_resamples=100, seed=0)[
        "distinct_1"
    ]
    assert found.base.value == 50
    assert found.gold is not None and found.gold.value == 100


@given(TEXT, st.integers(1, 4))
def test_a_share_is_bounded_and_not_higher_for_a_repeated_text(text, order):
    share = distinct(text, order)
    if share is None:
        assert len(text.split()) < order
    else:
        assert 0 < share <= 1
        assert distinct(f"{text} {text}", order) <= share
