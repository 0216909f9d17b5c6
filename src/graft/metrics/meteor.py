"""METEOR: matches by word form, stem and synonym, with a penalty for fragmentation.

Source: Banerjee and Lavie 2005 (W05-0909) with the parameters of Lavie and Agarwal
2007, as NLTK implements it. Stems and synonyms are English, so it is refused for
references that are mostly in a non-Latin script.
"""

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from graft.metrics.statistics import Array, Metric, Segments, averaged, percent
from graft.metrics.words import latin_share

MIN_LATIN = 0.5
"""Smallest share of Latin letters in the references."""


def count_matches(segments: Segments, wordnet: Any = None) -> tuple[Array, str]:
    """NLTK's METEOR of each segment, in 0..1, with the best of several references.

    `wordnet`: a reader of WordNet; None: NLTK's own.
    Raises: LookupError if WordNet is not installed.
    """
    # pylint: disable-next=import-outside-toplevel # takes seconds to load
    from nltk import corpus, wordpunct_tokenize
    from nltk.translate.meteor_score import meteor_score

    scores = [
        meteor_score(
            [wordpunct_tokenize(text) for text in texts],
            wordpunct_tokenize(completion),
            wordnet=wordnet or corpus.wordnet,
        )
        for completion, texts in segments.pairs()
    ]
    signature = f"meteor|tok:wordpunct|lower|stem:porter|nltk:{version('nltk')}"
    return averaged(scores), signature


def missing_wordnet() -> str:
    """How to install WordNet, if NLTK does not find it; empty if it does."""
    # pylint: disable-next=import-outside-toplevel # takes seconds to load
    from nltk.corpus import wordnet

    try:
        wordnet.ensure_loaded()
    except LookupError:
        return "WordNet is missing; install it with: python -m nltk.downloader wordnet"
    return ""


def unsuitable_script(references: Sequence[Sequence[str]]) -> str:
    """The reason why METEOR is meaningless for these references; empty if most letters
    are Latin."""
    share = latin_share([text for texts in references for text in texts])
    if share >= MIN_LATIN:
        return ""
    return (
        f"its stems and synonyms are English, and {1 - share:.0%} of the references' "
        "letters are in another script; use chrf"
    )


METEOR_METRICS = [
    Metric(
        "meteor",
        "METEOR",
        count_matches,
        percent,
        missing=missing_wordnet,
        unsuitable=unsuitable_script,
    )
]
