"""BLEU: precision of the completion's word n-grams.

Sources: Papineni et al. 2002 (P02-1040) for the metric, Post 2018 (W18-6319) for the
tokenizer, smoothing and signature, which are SacreBLEU's own. Its tokenizer 13a splits
at spaces, so a script without spaces is first split into characters, as SacreBLEU's
tokenizer `zh` does for Chinese.
"""

import unicodedata
from dataclasses import replace
from functools import partial

import numpy as np
from sacrebleu.metrics import BLEU

from graft.metrics.statistics import Array, Metric, Segments
from graft.metrics.words import is_unspaced, spaced

MAX_ORDER = 4


def count_words(segments: Segments) -> tuple[Array, str]:
    """SacreBLEU's statistics of each segment, and its signature.

    Returns: [completion length, closest reference length, matches of order 1 to 4,
        n-grams of order 1 to 4] in tokens of its 13a tokenizer. Shape [segments, 10].
        The signature contains `13a+unspaced-char` if a text was split into characters.
    """
    metric = BLEU(max_ngram_order=MAX_ORDER, force=True)
    split = replace(
        segments,
        completions=[spaced(text) for text in segments.completions],
        references=[[spaced(text) for text in texts] for texts in segments.references],
    )
    terms = sacrebleu_terms(metric, split)
    signature = str(metric.get_signature())
    texts = [*segments.completions, *(t for ts in segments.references for t in ts)]
    if any(map(is_unspaced, texts)):
        signature = signature.replace("tok:13a", "tok:13a+unspaced-char")
    return terms, signature


def sacrebleu_terms(metric: BLEU, segments: Segments) -> Array:
    """Statistics of each segment by a SacreBLEU metric, shape [segments, terms].

    SacreBLEU expects one list per reference position, with None for segments that have
    fewer references. Letters are composed (NFC) on both sides, so decomposed é or
    Korean syllables match.
    """
    most = max(map(len, segments.references))
    rows = [
        [*map(_composed, texts), *[None] * (most - len(texts))]
        for texts in segments.references
    ]
    columns = [list(column) for column in zip(*rows, strict=True)]
    completions = [_composed(text) for text in segments.completions]
    # pylint: disable-next=protected-access # its public API gives only corpus scores
    terms = metric._extract_corpus_statistics(completions, columns)
    return np.asarray(terms, dtype=np.float64)


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def bleu(sums: Array, order: int = MAX_ORDER) -> Array:
    """Cumulative BLEU up to `order`, from summed statistics.

    The geometric mean of the precisions of orders 1 to `order`, times the brevity
    penalty. An order without a match is smoothed as in mteval-v13a ("exp"). An order
    for which all completions are too short is left out, where SacreBLEU gives 0:
    answers of three words that equal their references get 100.

    Args:
        sums: statistics of `count_words`, summed. Shape [..., 10].
        order: longest n-gram.
    Returns: scores in 0..100, shape [...]; 0 where no word matches.
    """
    length, closest = sums[..., 0], sums[..., 1]
    matches, totals = sums[..., 2 : 2 + order], sums[..., 6 : 6 + order]
    occurs = totals > 0
    missed = (matches == 0) & occurs
    # The k-th order without a match counts as 1 / 2^k of a match.
    smoothed = np.where(missed, 0.5 ** np.cumsum(missed, axis=-1), matches)
    smoothed = np.where(occurs, smoothed, 1.0)
    logs = np.log(smoothed) - np.log(np.maximum(totals, 1))
    num_orders = np.maximum(occurs.sum(axis=-1), 1)
    penalty = np.minimum(0.0, 1 - closest / np.maximum(length, 1))
    scores = 100 * np.exp(penalty + logs.sum(axis=-1) / num_orders)
    return np.where(matches[..., 0] > 0, scores, 0.0)


ORDERS = range(1, MAX_ORDER)  # BLEU-4 is BLEU
BLEU_METRICS = [
    Metric("bleu", "BLEU", count_words, bleu),
    *(
        Metric(f"bleu_{n}", f"BLEU-{n}", count_words, partial(bleu, order=n))
        for n in ORDERS
    ),
]
"""`bleu` is SacreBLEU's own, with n-grams up to 4; `bleu_n` has n-grams up to n."""
