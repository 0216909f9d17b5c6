"""METEOR with a reader of two words in place of WordNet's data."""

from dataclasses import dataclass

import pytest
from nltk.translate.meteor_score import meteor_score

from graft.metrics import METRICS, Segments
from graft.metrics.meteor import count_matches, missing_wordnet


@dataclass(frozen=True)
class Lemma:
    word: str

    def name(self) -> str:
        return self.word


@dataclass(frozen=True)
class Synset:
    words: tuple[str, ...]

    def lemmas(self) -> list[Lemma]:
        return [Lemma(word) for word in self.words]


class TwoWords:
    """A WordNet in which a pan and a pot are synonyms."""

    def synsets(self, word: str) -> list[Synset]:
        return [Synset(("pan", "pot"))] if word in ("pan", "pot") else []


def meteor(completion: str, *references: str) -> float:
    terms, _ = count_matches(Segments([completion], [references], ["en"]), TwoWords())
    return terms[0, 0]


def test_the_value_equals_nltks():
    completion, gold = "wash the pots in warm water", "the pan is washed with water"
    expected = meteor_score([gold.split()], completion.split(), wordnet=TwoWords())
    assert meteor(completion, gold) == pytest.approx(expected, abs=1e-12)
    assert 0 < expected < 1


def test_a_synonym_and_a_stem_count_as_the_word():
    assert meteor("take a pot", "take a pan") == meteor("take a pan", "take a pan")
    assert meteor("washing", "washed") == meteor("wash", "wash") > 0
    assert meteor("take a cup", "take a pan") < meteor("take a pot", "take a pan")


def test_a_value_computed_by_hand():
    # 4 of 4 words of the completion, 4 of 5 of the reference, in 2 runs.
    fmean = 1.0 * 0.8 / (0.9 * 1.0 + 0.1 * 0.8)
    penalty = 0.5 * (2 / 4) ** 3
    found = meteor("stir it until smooth", "stir it gently until smooth")
    assert found == pytest.approx(fmean * (1 - penalty))


def test_the_best_reference_counts_and_nothing_scores_0():
    assert meteor("dry it", "wash it", "dry it") == meteor("dry it", "dry it")
    assert meteor("", "dry it") == 0


def test_references_in_another_script_are_refused_with_another_metric():
    assert METRICS["meteor"].unsuitable([["a cat sleeps"], ["un été"]]) == ""
    assert "use chrf" in METRICS["meteor"].unsuitable([["猫が寝ている"], ["a cat"]])


def test_a_missing_wordnet_is_reported_with_the_command_to_install_it():
    try:
        count_matches(Segments(["a cat"], [["a dog"]], ["en"]))
    except LookupError:
        assert "nltk.downloader wordnet" in missing_wordnet()
    else:
        assert missing_wordnet() == ""
    assert METRICS["meteor"].missing() == missing_wordnet()
