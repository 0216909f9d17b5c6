"""Likelihood of the reference under the model: perplexity and bits per byte."""

import numpy as np

from graft.metrics.statistics import Array, Metric, Segments


def sum_likelihoods(segments: Segments) -> tuple[Array, str]:
    """The measured likelihoods of each segment's first reference.

    Returns: [negative log-likelihood in nats, tokens, UTF-8 bytes], shape
        [segments, 3], and the signature.
    Raises: ValueError if they were not measured.
    """
    if segments.likelihoods is None:
        raise ValueError("the likelihood of the references was not measured")
    return segments.likelihoods, "reference|teacher-forced|micro"


def perplexity(sums: Array) -> Array:
    """Exponential of the mean loss per token; 1 is certainty.

    Comparable only between models with the same tokenizer.
    Args:
        sums: statistics of `sum_likelihoods`, summed. Shape [..., 3].
    Returns: shape [...]; 1 if there are no tokens.
    Source: Jelinek et al. 1977.
    """
    return np.asarray(np.exp(sums[..., 0] / np.maximum(sums[..., 1], 1)))


def bits_per_byte(sums: Array) -> Array:
    """Compression cost of the text; unlike perplexity, comparable across tokenizers.

    Args:
        sums: statistics of `sum_likelihoods`, summed. Shape [..., 3].
    Returns: bits, shape [...]; uniform guessing costs 8.
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
