"""ROUGE: which words, word pairs and common subsequences of the reference are there.

Source: Lin 2004 (W04-1013), as Google's rouge-score counts it: F1, no stemming, lower
case. Words are those of `graft.metrics.words`, which are rouge-score's own on ASCII;
its own tokenizer drops every other letter. A corpus has the mean of its segments; of
several references the best counts.
"""

from functools import partial
from importlib.metadata import version

import numpy as np

from graft.metrics.statistics import Array, Metric, Segments
from graft.metrics.words import to_words

KINDS = ("1", "2", "L")


class _Words:
    """Words as rouge-score asks for them."""

    def tokenize(self, text: str) -> list[str]:
        """Words of a text; of one without any, such as a smiley, its signs."""
        return to_words(text) or [sign for sign in text if not sign.isspace()]


def count_overlap(segments: Segments) -> tuple[Array, str]:
    """rouge-score's F1 of each segment, as shares.

    The words of a reference have 1 of each kind, also where they are too few to have a
    pair, for which rouge-score gives 0.
    Returns: [ROUGE-1, ROUGE-2, ROUGE-L, 1], shape [segments, 4], and how they were
        counted.
    """
    # pylint: disable-next=import-outside-toplevel # takes seconds to load
    from rouge_score.rouge_scorer import RougeScorer

    words = _Words()
    scorer = RougeScorer([f"rouge{kind}" for kind in KINDS], tokenizer=words)
    terms = []
    for texts, said in zip(segments.references, segments.completions, strict=True):
        if words.tokenize(said) in [words.tokenize(text) for text in texts]:
            terms.append([1.0] * (len(KINDS) + 1))
            continue
        score = scorer.score_multi(texts, said)
        terms.append([*(score[f"rouge{k}"].fmeasure for k in KINDS), 1.0])
    signature = (
        "f1|stemmer:no|tok:unicode-words,unspaced-char|refs:best|equal:1|rouge-score:"
        + version("rouge-score")
    )
    return np.array(terms), signature


def mean_f1(sums: Array, column: int) -> Array:
    """Mean F1 in percent: sums of `count_overlap`, shape [..., 4] → [...]."""
    return np.asarray(100 * sums[..., column] / sums[..., -1])


ROUGE_METRICS = [
    Metric(
        f"rouge_{kind.lower()}",
        f"ROUGE-{kind}",
        count_overlap,
        partial(mean_f1, column=column),
    )
    for column, kind in enumerate(KINDS)
]
