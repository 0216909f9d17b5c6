"""BLEU: how many word n-grams of the completion stand in a reference.

Sources: Papineni et al. 2002 (P02-1040) for the metric, Post 2018 (W18-6319) for the
tokenizer, smoothing and signature, which are SacreBLEU's own.
"""

from functools import partial

import numpy as np
from sacrebleu.metrics import BLEU

from graft.metrics.statistics import Array, Metric, Segments

MAX_ORDER = 4


def count_words(segments: Segments) -> tuple[Array, str]:
    """SacreBLEU's statistics of each segment, and its signature.

    Returns: [completion length, closest reference length, matches of order 1 to 4,
        n-grams of order 1 to 4] in tokens of its 13a tokenizer. Shape [segments, 10].
    """
    metric = BLEU(max_ngram_order=MAX_ORDER, force=True)
    terms = sacrebleu_terms(metric, segments)
    return terms, str(metric.get_signature())


def sacrebleu_terms(metric: BLEU, segments: Segments) -> Array:
    """Statistics of each segment by a SacreBLEU metric, shape [segments, terms].

    SacreBLEU takes references as one list a position, with None where a segment has
    fewer than the others.
    """
    most = max(map(len, segments.references))
    rows = [[*texts, *[None] * (most - len(texts))] for texts in segments.references]
    columns = [list(column) for column in zip(*rows, strict=True)]
    # pylint: disable-next=protected-access # its public API gives only corpus scores
    terms = metric._extract_corpus_statistics(segments.completions, columns)
    return np.asarray(terms, dtype=np.float64)


def bleu(sums: Array, order: int = MAX_ORDER) -> Array:
    """Cumulative BLEU up to `order`, from summed statistics.

    The geometric mean of the precisions of orders 1 to `order`, times the brevity
    penalty. An order without a match is smoothed as in mteval-v13a ("exp").

    Args:
        sums: statistics of `count_words`, summed. Shape [..., 10].
        order: longest n-gram.
    Returns: scores in 0..100, shape [...]. 0 where no word matches, or where no
        completion is as long as `order`.
    """
    length, closest = sums[..., 0], sums[..., 1]
    matches, totals = sums[..., 2 : 2 + order], sums[..., 6 : 6 + order]
    missed = matches == 0
    # The k-th order without a match counts as 1 / 2^k of a match.
    smoothed = np.where(missed, 0.5 ** np.cumsum(missed, axis=-1), matches)
    logs = np.log(smoothed) - np.log(np.maximum(totals, 1))
    penalty = np.minimum(0.0, 1 - closest / np.maximum(length, 1))
    scores = 100 * np.exp(penalty + logs.mean(axis=-1))
    defined = (totals > 0).all(axis=-1) & (matches[..., 0] > 0)
    return np.where(defined, scores, 0.0)


ORDERS = range(1, MAX_ORDER + 1)
BLEU_METRICS = [
    Metric("bleu", "BLEU", count_words, bleu),
    *(
        Metric(f"bleu_{n}", f"BLEU-{n}", count_words, partial(bleu, order=n))
        for n in ORDERS
    ),
]
"""`bleu` is SacreBLEU's own; `bleu_n` is cumulative up to n, so `bleu_4` equals it."""
