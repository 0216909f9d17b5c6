"""Precision and recall of the recognisers on labelled text."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import polars as pl

from graft.config.pii import KINDS, Kind
from graft.data.pii.plain import fold
from graft.data.pii.prefilter import names, traits
from graft.data.pii.recognise import recognise
from pii.labelled import Labelled, Span


@dataclass
class Score:
    """Counts of spans of one kind. `right` are found ones, `exact` to the character."""

    spans: int = 0
    right: int = 0
    exact: int = 0
    wrong: int = 0
    borderline: int = 0
    faults: list[str] = field(default_factory=list)

    @property
    def recall(self) -> float:
        return self.right / self.spans if self.spans else 1.0

    @property
    def precision(self) -> float:
        found = self.right + self.wrong
        return self.right / found if found else 1.0


def score(examples: Sequence[Labelled], regions: Sequence[str]) -> dict[Kind, Score]:
    """Scores by kind of what is sure, prefilter included."""
    scores: dict[Kind, Score] = {kind: Score() for kind in KINDS}
    seen = traits(pl.Series([example.text for example in examples]))
    for example, some in zip(examples, names(seen), strict=True):
        plain = fold(example.text)
        found = recognise(plain.text, some, regions)
        sure: list[Span] = []
        unsure: list[Span] = []
        for one in found:
            span = (one.kind, *plain.original(one.start, one.end))
            (sure if one.sure else unsure).append(span)
        for span in example.spans:
            hits = [other for other in sure if _overlap(span, other)]
            mine = scores[span[0]]
            mine.spans += 1
            mine.right += bool(hits)
            mine.exact += span in hits
            mine.borderline += any(_overlap(span, other) for other in unsure)
            if not hits:
                mine.faults.append(
                    f"missed {example.text[span[1]:span[2]]!r} in {example.text!r}"
                )
        for other in sure:
            if not any(_overlap(span, other) for span in example.spans):
                mine = scores[other[0]]
                mine.wrong += 1
                mine.faults.append(
                    f"wrong {example.text[other[1]:other[2]]!r} in {example.text!r}"
                )
    return scores


def _overlap(span: Span, other: Span) -> bool:
    return span[0] == other[0] and span[1] < other[2] and other[1] < span[2]
