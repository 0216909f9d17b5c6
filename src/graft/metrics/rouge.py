"""ROUGE: F1 of words, word pairs and the longest common subsequence.

Source: Lin 2004 (W04-1013), as Google's rouge-score counts it: F1, no stemming, lower
case. Words are those of `graft.metrics.words`, which equal rouge-score's on ASCII text;
its own tokenizer drops all other letters. The corpus score is the mean of the segments;
the best of several references counts.
"""

from functools import partial
from importlib.metadata import version

import numpy as np

from graft.metrics.statistics import Array, Metric, Segments
from graft.metrics.words import to_words

KINDS = ("1", "2", "L")


class _Words:
    """The tokenizer interface of rouge-score."""

    def tokenize(self, text: str) -> list[str]:
        """Words of a text; its characters if it has no words, such as an emoji."""
        return to_words(text) or [sign for sign in text if not sign.isspace()]


def count_overlap(segments: Segments) -> tuple[Array, str]:
    """rouge-score's F1 of each segment, as shares.

    A completion with the words of a reference gets 1 for each kind, even if it is too
    short to have word pairs, for which rouge-score gives 0.
    Returns: [ROUGE-1, ROUGE-2, ROUGE-L, 1], shape [segments, 4], and the signature.
    """
    # pylint: disable-next=import-outside-toplevel # takes seconds to load
    from rouge_score.rouge_scorer import RougeScorer

    words = _Words()
    scorer = RougeScorer([f"rouge{kind}" for kind in KINDS], tokenizer=words)
    terms = []
    for completion, texts in segments.pairs():
        if words.tokenize(completion) in [words.tokenize(text) for text in texts]:
            terms.append([1.0] * (len(KINDS) + 1))
            continue
        score = scorer.score_multi(texts, completion)
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
