import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sacrebleu.metrics import BLEU, CHRF

from graft.errors import ConfigError
from graft.metrics import METRICS, Segments, compare, get_metrics, resample

WORDS = "le la un une chat chien dort mange rouge bleu et , . vite très l'eau".split()
SENTENCE = st.lists(st.sampled_from(WORDS), min_size=1, max_size=12).map(" ".join)
CORPUS = st.lists(
    st.tuples(SENTENCE | st.just(""), st.lists(SENTENCE, min_size=1, max_size=3)),
    min_size=1,
    max_size=12,
)
ORACLES = {
    "bleu": BLEU(force=True),
    "chrf": CHRF(),
    **{f"bleu_{n}": BLEU(max_ngram_order=n, force=True) for n in (1, 2, 3)},
}


def corpus(num_segments: int, error_rate: float, seed: int) -> tuple[list[str], list]:
    """Sentences and copies of them in which words are replaced at random."""
    draw = random.Random(seed)
    gold = [
        [draw.choice(WORDS) for _ in range(draw.randint(4, 14))]
        for _ in range(num_segments)
    ]
    noise = random.Random(seed + 1)
    copies = [
        " ".join(
            noise.choice(WORDS) if noise.random() < error_rate else w for w in words
        )
        for words in gold
    ]
    return copies, [[" ".join(words)] for words in gold]


def test_bleu_of_short_answers_leaves_out_the_orders_that_they_are_too_short_for():
    assert score("bleu", ["le chat"], [["le chat"]]).value == pytest.approx(100)
    oracle = BLEU(max_ngram_order=2, force=True).corpus_score(
        ["le chat"], [["le chien"]]
    )
    assert score("bleu", ["le chat"], [["le chien"]]).value == pytest.approx(
        oracle.score
    )
    assert score("bleu", ["le chat"], [["le chat dort là"]]).value < 50


def segments(completions: list[str], references: list) -> Segments:
    return Segments(completions, references, ["all"] * len(completions))


def score(name: str, completions: list[str], references: list, seed: int = 0):
    return METRICS[name].score(
        segments(completions, references), resample(len(references), 200, seed)
    )


@pytest.mark.parametrize("name", ORACLES)
@settings(max_examples=60, deadline=None)
@given(data=CORPUS)
def test_a_value_equals_sacrebleus_own_corpus_score(name, data):
    completions, references = map(list, zip(*data, strict=True))
    most = max(map(len, references))
    columns = [[r[i] if i < len(r) else None for r in references] for i in range(most)]
    oracle = ORACLES[name]
    expected = oracle.corpus_score(completions, columns)
    ours = score(name, completions, references)
    if all(getattr(expected, "totals", [])):  # else SacreBLEU gives 0 to any answer
        assert ours.value == pytest.approx(expected.score, abs=1e-9)
    assert ours.signature == str(oracle.get_signature())


@pytest.mark.parametrize("name", ORACLES)
@settings(max_examples=40, deadline=None)
@given(data=CORPUS, order=st.randoms())
def test_a_value_is_bounded_and_independent_of_the_order_of_segments(name, data, order):
    completions, references = map(list, zip(*data, strict=True))
    ours = score(name, completions, references)
    assert 0 <= ours.low <= ours.high <= 100 + 1e-9
    assert 0 <= ours.value <= 100 + 1e-9
    order.shuffle(data)
    again = score(name, *map(list, zip(*data, strict=True)))
    assert again.value == pytest.approx(ours.value)


@pytest.mark.parametrize("name", ORACLES)
def test_identical_texts_score_100_without_spread(name):
    texts, references = corpus(30, 0.0, 1)
    ours = score(name, texts, references)
    assert (ours.value, ours.low, ours.high) == pytest.approx((100, 100, 100))


@pytest.mark.parametrize("name", ORACLES)
def test_texts_without_a_common_character_score_0(name):
    assert score(name, ["xx yy zz ww vv"], [["aa bb cc dd ee"]]).value == 0


@pytest.mark.parametrize("name", ORACLES)
def test_an_interval_contains_the_value_and_narrows_with_more_segments(name):
    few, many = (score(name, *corpus(n, 0.3, 2)) for n in (50, 800))
    for ours in (few, many):
        assert ours.low < ours.value < ours.high
    assert many.high - many.low < (few.high - few.low) / 2


def test_an_interval_depends_on_the_seed_alone():
    texts, references = corpus(100, 0.3, 3)
    one, same, other = (score("bleu", texts, references, seed) for seed in (1, 1, 2))
    assert one == same
    assert one.low != other.low


def test_bleu_agrees_with_sacrebleus_bootstrap():
    texts, references = corpus(400, 0.3, 4)
    oracle = BLEU().corpus_score(texts, [[r[0] for r in references]], n_bootstrap=400)
    ours = score("bleu", texts, references)
    # pylint: disable-next=protected-access
    assert (ours.high - ours.low) / 2 == pytest.approx(oracle._ci, rel=0.2)


def test_a_bootstrap_draw_takes_as_many_segments_as_there_are():
    weights = resample(37, 100, 5).weights
    assert weights.shape == (100, 37)
    assert np.all(weights.sum(axis=1) == 37)


def test_a_paired_difference_is_tighter_than_two_intervals_and_is_judged():
    base, references = corpus(300, 0.30, 6)
    tuned = [
        r[0] if i % 8 == 0 else text
        for i, (text, r) in enumerate(zip(base, references, strict=True))
    ]
    options = {"num_resamples": 500, "seed": 0}
    metrics = get_metrics(["bleu", "chrf"])
    for found in compare(
        metrics, segments(base, references), segments(tuned, references), **options
    ).values():
        assert found.difference.value == pytest.approx(
            found.tuned.value - found.base.value
        )
        assert found.difference.low < found.difference.value < found.difference.high
        assert (
            found.difference.high - found.difference.low
            < found.base.high - found.base.low
        )
        assert found.is_significant
    for found in compare(
        metrics, segments(base, references), segments(base, references), **options
    ).values():
        assert (found.difference.low, found.difference.high) == (0, 0)
        assert not found.is_significant


def test_missing_segments_or_references_are_an_error():
    for completions, references in (([], []), (["a"], []), (["a"], [[]])):
        with pytest.raises(ValueError):
            segments(completions, references)
    with pytest.raises(ValueError):
        resample(0, 100, 0)


def test_an_unknown_metric_is_an_error_that_lists_the_known_ones():
    with pytest.raises(ConfigError, match="metor.*\n.*bleu, "):
        get_metrics(["bleu", "metor"])
