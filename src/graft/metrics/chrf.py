"""chrF: F-score of character n-grams.

Source: Popović 2015 (W15-3049), with SacreBLEU's settings: orders 1 to 6, no
whitespace, recall weighted twice as much as precision (chrF2).
"""

import numpy as np
from sacrebleu.metrics import CHRF

from graft.metrics.bleu import sacrebleu_terms
from graft.metrics.statistics import Array, Metric, Segments

BETA = 2


def count_characters(segments: Segments) -> tuple[Array, str]:
    """SacreBLEU's statistics of each segment, and its signature.

    Returns: [n-grams of the completion, of the reference, in both] for orders 1 to 6,
        against the reference that matches best. Shape [segments, 18].
    """
    metric = CHRF(beta=BETA)
    terms = sacrebleu_terms(metric, segments)
    return terms, str(metric.get_signature())


def chrf(sums: Array) -> Array:
    """F-score of the mean precision and mean recall over the orders that occur.

    Args:
        sums: statistics of `count_characters`, summed. Shape [..., 18].
    Returns: scores in 0..100, shape [...]; 0 where nothing matches.
    """
    orders = sums.reshape(*sums.shape[:-1], -1, 3)  # [..., orders, 3]
    num_completion, num_reference, num_both = np.moveaxis(orders, -1, 0)
    occurs = (num_completion > 0) & (num_reference > 0)
    num_orders = np.maximum(occurs.sum(axis=-1), 1)
    both = np.where(occurs, num_both, 0.0)
    precision = (both / np.maximum(num_completion, 1)).sum(axis=-1) / num_orders
    recall = (both / np.maximum(num_reference, 1)).sum(axis=-1) / num_orders
    weight = BETA**2
    scale = weight * precision + recall
    score = 100 * (1 + weight) * precision * recall / np.where(scale > 0, scale, 1.0)
    return np.asarray(score)


CHRF_METRICS = [Metric("chrf", "chrF", count_characters, chrf)]
