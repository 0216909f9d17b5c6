"""ROUGE: which words, word pairs and common subsequences of the reference are there.

Source: Lin 2004 (W04-1013), as Google's rouge-score counts it: F1, no stemming, lower
case, and nothing but a-z and 0-9 makes a word. A corpus has the mean of its segments;
of several references the best counts.
"""

from functools import partial
from importlib.metadata import version

import numpy as np

from graft.metrics.statistics import Array, Metric, Segments

KINDS = ("1", "2", "L")


def count_overlap(segments: Segments) -> tuple[Array, str]:
    """rouge-score's F1 of each segment, as shares.

    Returns: [ROUGE-1, ROUGE-2, ROUGE-L, 1], shape [segments, 4], and how they were
        counted.
    """
    # pylint: disable-next=import-outside-toplevel # takes seconds to load
    from rouge_score.rouge_scorer import RougeScorer

    scorer = RougeScorer([f"rouge{kind}" for kind in KINDS])
    pairs = zip(segments.references, segments.completions, strict=True)
    scores = [scorer.score_multi(texts, said) for texts, said in pairs]
    terms = [[*(score[f"rouge{k}"].fmeasure for k in KINDS), 1.0] for score in scores]
    signature = f"f1|stemmer:no|refs:best|rouge-score:{version('rouge-score')}"
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
