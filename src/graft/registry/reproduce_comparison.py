"""Comparison of a version's predictions and scores with those of a reproduction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile

from graft.inference.generated import Generated
from graft.records import Prediction

SYSTEMS = ("base", "tuned")
MAX_SHOWN = 5
"""Ids that are listed."""


@dataclass(frozen=True)
class PredictionsComparison:
    """How predictions differ from the logged ones.

    Attributes:
        num_examples: examples of both.
        missing: ids of examples that only one of them has.
        different: ids of examples with another completion of base or tuned model.
        num_texts: completions, of both models.
        num_different: those that differ.
        words_different: share of words after the first one that differs, over all
            completions; after it, greedy decoding continues another text.
        largest_nll_difference: relative, of the likelihoods of the references; null if
            there are none.
    """

    num_examples: int
    missing: Sequence[str]
    different: Sequence[str]
    num_texts: int
    num_different: int
    words_different: float
    largest_nll_difference: float | None

    @property
    def texts_different(self) -> float:
        """The share of completions that differ."""
        return self.num_different / max(self.num_texts, 1)

    def is_within(self, tolerance: float) -> bool:
        """Whether the examples are the same, and at most this share of completions
        differs."""
        return not self.missing and self.texts_different <= tolerance


def compare_predictions(logged: Generated, again: Generated) -> PredictionsComparison:
    """Compare completions of the same examples, by their ids."""
    first = {row.id: row for row in logged.predictions}
    second = {row.id: row for row in again.predictions}
    common = [name for name in first if name in second]
    pairs = [
        (name, getattr(first[name], system), getattr(second[name], system))
        for name in common
        for system in SYSTEMS
    ]
    words = [(len(a.split()), _words_after(a, b)) for _, a, b in pairs]
    unequal = [name for name, a, b in pairs if a != b]
    return PredictionsComparison(
        num_examples=len(common),
        missing=sorted(first.keys() ^ second.keys()),
        different=list(dict.fromkeys(unequal)),
        num_texts=len(pairs),
        num_different=len(unequal),
        words_different=sum(n for _, n in words) / max(sum(n for n, _ in words), 1),
        largest_nll_difference=_largest_nll(
            [(first[name], second[name]) for name in common]
        ),
    )


def compare_scores(
    logged: Mapping[str, Mapping[str, float]], again: Mapping[str, Mapping[str, float]]
) -> dict[str, tuple[float | None, float | None]]:
    """The scores that differ: SYSTEM/METRIC → both values; null if there is none."""
    first, second = _flat(logged), _flat(again)
    return {
        name: (first.get(name), second.get(name))
        for name in sorted(first.keys() | second.keys())
        if first.get(name) != second.get(name)
    }


def _flat(scores: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    return {
        f"{s}/{name}": v for s, found in scores.items() for name, v in found.items()
    }


def _words_after(text: str, other: str) -> int:
    """Words of a text from the first on that the other does not have there."""
    if text == other:
        return 0
    words, others = text.split(), other.split()
    same = takewhile(lambda pair: pair[0] == pair[1], zip(words, others, strict=False))
    return len(words) - sum(1 for _ in same)


def _largest_nll(pairs: Sequence[tuple[Prediction, Prediction]]) -> float | None:
    found = [
        abs(a - b) / max(abs(a), 1e-9)
        for first, second in pairs
        for a, b in (
            (first.base_nll, second.base_nll),
            (first.tuned_nll, second.tuned_nll),
        )
        if a is not None and b is not None
    ]
    return max(found, default=None)
