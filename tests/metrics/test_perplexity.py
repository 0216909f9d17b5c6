import numpy as np
import pytest

from graft.metrics import METRICS, Segments, compare, resample

TERMS = np.array([[2.0, 4, 10], [6.0, 4, 30]])


def segments(terms: np.ndarray | None) -> Segments:
    number = 2 if terms is None else len(terms)
    return Segments([""] * number, [["a"]] * number, [""] * number, terms)


def value(name: str, terms: np.ndarray) -> float:
    return METRICS[name].score(segments(terms), resample(2, 100, 0)).value


def test_values_computed_by_hand():
    assert value("perplexity", TERMS) == pytest.approx(np.e)
    assert value("bits_per_byte", TERMS) == pytest.approx(8 / np.log(2) / 40)


def test_uniform_guessing_has_the_value_of_the_sources():
    pieces, num_bytes = 512, 8
    nll = np.log(pieces)
    assert value("perplexity", np.array([[nll, 1, 2]] * 2)) == pytest.approx(pieces)
    guess = np.array([[num_bytes * np.log(256), 3, num_bytes]] * 2)
    assert value("bits_per_byte", guess) == pytest.approx(8)


def test_a_lower_perplexity_is_better_with_its_relative_change():
    metric = METRICS["perplexity"]
    assert metric.better == "lower"
    found = compare(
        [metric],
        segments(np.tile(TERMS, (20, 1))),
        segments(np.tile(TERMS / [2, 1, 1], (20, 1))),
        num_resamples=100,
        seed=0,
    )["perplexity"]
    assert found.is_significant
    assert found.relative_change == pytest.approx(100 * (np.exp(0.5) / np.e - 1))


def test_without_likelihoods_there_is_no_value():
    with pytest.raises(ValueError, match="not measured"):
        METRICS["perplexity"].score(segments(None), resample(2, 100, 0))
