import pytest
from hypothesis import given
from hypothesis import strategies as st

from graft.metrics.answers import normalise, token_f1

WORDS = st.lists(st.sampled_from("red house cat l'eau a the le".split()), max_size=6)


@pytest.mark.parametrize(
    ("text", "stratum", "bare"),
    [
        ("The  Red, house!", "en", "red house"),
        ("an A-frame", "en", "aframe"),  # as the script of SQuAD has it
        ("Theatre", "en", "theatre"),
        ("unanswerable", "en", ""),
        ("L'eau de la rivière.", "fr", "eau rivière"),  # a partitive article
        ("l’hôtel « Le Nord »", "fr", "hôtel nord"),
        ("de l'argent", "fr", "argent"),
        ("une lettre", "fr", "lettre"),
        ("les lessives", "fr", "lessives"),
        ("aujourd'hui", "fr", "aujourd hui"),
        ("la maison", "en", "la maison"),
        ("la maison", "all", "la maison"),
        ("das Haus!", "de", "haus"),
        ("¿El gato?", "es", "gato"),
        ("The「北京」。", "zh", "the 北京"),
        ("北京。", "all", "北京"),
        ("القاهرة؟", "ar", "القاهرة"),
        ("दिल्ली।", "hi", "दिल्ली"),
        ("１２時", "ja", "12時"),
        ("٣", "ar", "3"),
        ("e\u0301te\u0301", "fr", "\xe9t\xe9"),
    ],
)
def test_case_articles_and_punctuation_are_removed(text, stratum, bare):
    assert normalise(text, stratum) == bare


def test_values_computed_by_hand(value):
    assert value("answer_f1", "the big red house", "red house") == pytest.approx(80)
    assert value("answer_match", "the big red house", "red house") == 0
    assert value("answer_match", "A red house.", "red house") == 100
    assert value("answer_f1", "red red cat", "red cat cat") == pytest.approx(200 / 3)


def test_the_most_similar_reference_counts(value):
    assert value("answer_f1", "in 1998", "May 1998", "in 1998") == 100
    assert value("exact_match", "b", "a", "b") == 100


@pytest.mark.parametrize("name", ["answer_match", "answer_f1"])
def test_no_answer_is_correct_only_if_there_is_none(name, value):
    assert value(name, "unanswerable", "unanswerable") == 100
    assert value(name, "", "unanswerable") == 100
    assert value(name, "unanswerable", "red") == 0
    assert value(name, "it is unanswerable", "unanswerable") == 0
    assert value(name, "", "the", "red") == 0


def test_articles_are_of_the_stratums_language(value):
    assert value("answer_match", "la gare", "gare", stratum="fr") == 100
    assert value("answer_match", "la gare", "gare", stratum="en") == 0


def test_exact_match_keeps_case_and_not_spaces(value):
    assert value("exact_match", " a\n b ", "a b") == 100
    assert value("exact_match", "A b", "a b") == 0


@given(WORDS, WORDS)
def test_f1_is_symmetric_bounded_and_1_for_the_same_words(left, right):
    one, other = " ".join(left), " ".join(right)
    assert token_f1(one, other) == token_f1(other, one)
    assert 0 <= token_f1(one, other) <= 1
    assert token_f1(one, " ".join(reversed(left))) == 1


@given(WORDS, st.sampled_from(["en", "fr"]))
def test_normalising_twice_changes_nothing(words, stratum):
    once = normalise(" ".join(words), stratum)
    assert normalise(once, stratum) == once
