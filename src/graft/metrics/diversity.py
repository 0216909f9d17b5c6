"""Length and repetition of a completion; no reference is needed.

Sources: Li et al. 2016 (N16-1014) for distinct-n, here of each text alone and averaged
over texts, so that its interval is one over texts; Welleck et al. 2020
(arXiv:1908.04319) for the share of repeated 4-grams. Words are separated by
spaces; in a script without spaces each character is a word.
"""

from functools import partial

from graft.metrics.statistics import Array, Metric, Segments, averaged, mean, percent
from graft.metrics.words import spaced

REPEATED = 4
"""Order of the n-grams whose repetition is counted, in words."""


def distinct(text: str, order: int) -> float | None:
    """Distinct word n-grams / all word n-grams of a text, 0..1; None if it has none."""
    words = spaced(text).split()
    grams = list(zip(*(words[start:] for start in range(order)), strict=False))
    return len(set(grams)) / len(grams) if grams else None


def count_distinct(segments: Segments, order: int) -> tuple[Array, str]:
    """Share of distinct n-grams in each segment."""
    shares = [distinct(text, order) for text in segments.completions]
    return averaged(shares), f"distinct|n:{order}|words,unspaced-char|per-text"


def count_repeated(segments: Segments) -> tuple[Array, str]:
    """Share of each segment's n-grams that occurred in it before."""
    shares = [distinct(text, REPEATED) for text in segments.completions]
    repeated = [None if share is None else 1 - share for share in shares]
    return averaged(repeated), f"repeated|n:{REPEATED}|words,unspaced-char|per-text"


def count_words(segments: Segments) -> tuple[Array, str]:
    """Number of words of each segment."""
    counts = (len(spaced(text).split()) for text in segments.completions)
    return averaged(counts), "words,unspaced-char"


DIVERSITY_METRICS = [
    *(
        Metric(
            f"distinct_{n}",
            f"Distinct-{n}, %",
            partial(count_distinct, order=n),
            percent,
            of="text",
        )
        for n in (1, 2)
    ),
    Metric(
        "repetition",
        "Repeated 4-grams, %",
        count_repeated,
        percent,
        better="lower",
        of="text",
    ),
    Metric(
        "response_length",
        "Response length, words",
        count_words,
        mean,
        better="neither",
        of="text",
    ),
]
