import numpy as np
import pytest
from rouge_score.rouge_scorer import RougeScorer

from graft.metrics import METRICS, Segments, resample

PAIRS = [
    ("Boil the water, then pour it.", ["Pour the boiled water."]),
    ("1. Wash the pan.\n2. Dry it.", ["1. Wash the pan.\n2. Dry the pan.", "Wash it."]),
    ("", ["Say something."]),
    ("Sift flour twice", ["Sift the flour", "Sift flour twice"]),
]


def test_values_equal_the_means_of_rouge_score():
    kinds = {"rouge_1": "rouge1", "rouge_2": "rouge2", "rouge_l": "rougeL"}
    scorer = RougeScorer(list(kinds.values()))
    completions, references = map(list, zip(*PAIRS, strict=True))
    segments = Segments(completions, references, [""] * len(PAIRS))
    for name, kind in kinds.items():
        oracle = [
            max(scorer.score(gold, completion)[kind].fmeasure for gold in references)
            for completion, references in PAIRS
        ]
        found = METRICS[name].score(segments, resample(len(PAIRS), 100, 0))
        assert found.value == pytest.approx(100 * np.mean(oracle), abs=1e-9)


def test_values_computed_by_hand(value):
    completion, gold = "the cat sat on the mat", "the cat lay on a mat"
    assert value("rouge_1", completion, gold) == pytest.approx(100 * 4 / 6)
    assert value("rouge_2", completion, gold) == pytest.approx(100 * 1 / 5)
    assert value("rouge_l", completion, gold) == pytest.approx(100 * 4 / 6)
    assert value("rouge_l", "mat the on", "on the mat") == pytest.approx(100 / 3)
