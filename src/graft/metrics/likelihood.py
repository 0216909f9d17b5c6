"""How well a model foresees the gold text: the more likely it is, the better."""

import numpy as np

from graft.metrics.statistics import Array, Metric, Segments


def sum_likelihoods(segments: Segments) -> tuple[Array, str]:
    """What was measured of each segment's first reference.

    Returns: [negative log-likelihood in nats, tokens, UTF-8 bytes], shape
        [segments, 3], and how they were counted.
    Raises: ValueError if the model was not asked.
    """
    if segments.likelihoods is None:
        raise ValueError("the likelihood of the references was not measured")
    return segments.likelihoods, "reference|teacher-forced|micro"


def perplexity(sums: Array) -> Array:
    """Choices a token seems to have: exp of the mean loss; 1 is certainty.

    Comparable only between models of one tokenizer.
    Args:
        sums: statistics of `sum_likelihoods`, summed. Shape [..., 3].
    Returns: shape [...]; 1 if there is no token.
    Source: Jelinek et al. 1977.
    """
    return np.asarray(np.exp(sums[..., 0] / np.maximum(sums[..., 1], 1)))


def bits_per_byte(sums: Array) -> Array:
    """Compression cost of the text, comparable across tokenizers, unlike perplexity.

    Args:
        sums: statistics of `sum_likelihoods`, summed. Shape [..., 3].
    Returns: bits, shape [...]; guessing bytes evenly costs 8.
    Source: Gao et al. 2020, arXiv:2101.00027.
    """
    return np.asarray(sums[..., 0] / (np.log(2) * np.maximum(sums[..., 2], 1)))


LIKELIHOOD_METRICS = [
    Metric(
        "perplexity",
        "Perplexity",
        sum_likelihoods,
        perplexity,
        better="lower",
        of="likelihood",
        scale="log",
    ),
    Metric(
        "bits_per_byte",
        "Bits per byte",
        sum_likelihoods,
        bits_per_byte,
        better="lower",
        of="likelihood",
    ),
]
