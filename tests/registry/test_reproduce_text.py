"""What a reproduction gave, as text."""

from dataclasses import replace

from generations import CPU, make_generated, make_prediction

from graft.registry.reproduce import Reproduction
from graft.registry.reproduce_comparison import compare_predictions
from graft.registry.reproduce_text import to_text

ROWS = [make_prediction(f"{i}", "a b c") for i in range(10)]
EQUAL = Reproduction(
    version="models:/model/3",
    commit="c" * 40,
    devices=(CPU, CPU),
    tolerance=0.0,
    predictions=compare_predictions(make_generated(*ROWS), make_generated(*ROWS)),
    scores={},
    adapters=(),
    notes=[],
)
OTHER = replace(
    EQUAL,
    predictions=compare_predictions(
        make_generated(*ROWS),
        make_generated(make_prediction("0", "a x c"), *ROWS[2:]),
    ),
)


def test_an_equal_version_says_so_first() -> None:
    lines = to_text(EQUAL).splitlines()
    assert lines[0].split() == ["models:/model/3", "equal"]
    assert any("20 of 20 completions of 10 examples" in line for line in lines)
    assert "no differences" in lines[-1]


def test_a_different_version_names_ids_shares_and_scores() -> None:
    found = replace(
        OTHER, scores={"tuned/bleu": (83.06, 83.5)}, notes=["other torch: 2, not 1"]
    )
    text = to_text(found)
    assert "DIFFERENT" in text and "first ids that differ: 0" in text
    assert "1 examples are only in one of them: 1" in text
    assert "5.56% of completions differ" in text
    assert "tuned/bleu: 83.06 → 83.5" in text and "other torch" in text


def test_a_difference_within_the_tolerance_names_the_tolerance() -> None:
    rows = [make_prediction("0", "a x c"), *ROWS[1:]]
    predictions = compare_predictions(make_generated(*ROWS), make_generated(*rows))
    found = replace(OTHER, predictions=predictions, tolerance=0.05)
    assert "equal within the tolerance of 5.0% of completions" in to_text(found)
    assert not replace(found, tolerance=0.04).is_equal


def test_another_adapter_is_a_difference_only_without_a_tolerance() -> None:
    found = replace(EQUAL, adapters=("a" * 16, "b" * 16))
    assert not found.is_equal and "other weights" in to_text(found)
    assert replace(found, tolerance=0.02).is_equal
    assert replace(EQUAL, adapters=("a" * 16, "a" * 16)).is_equal
