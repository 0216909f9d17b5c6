"""METEOR: words of the reference by form, stem or synonym, in unbroken runs.

Source: Banerjee and Lavie 2005 (W05-0909) with the parameters of Lavie and Agarwal
2007, as NLTK implements it. Stems and synonyms are English, so it is for English, and
refused for references in another script than the Latin one.
"""

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from graft.metrics.statistics import Array, Metric, Segments, averaged, percent
from graft.metrics.words import latin_share

MIN_LATIN = 0.5
"""Share of the references' letters that must be Latin."""


def count_matches(segments: Segments, wordnet: Any = None) -> tuple[Array, str]:
    """NLTK's METEOR of each segment, as a share; of several references the best.

    Args:
        wordnet: a reader of WordNet; None is the one of NLTK's data.
    Returns: statistics of a mean, shape [segments, 2], and how they were counted.
    Raises: LookupError if WordNet is not installed.
    """
    # pylint: disable-next=import-outside-toplevel # takes seconds to load
    from nltk import corpus, wordpunct_tokenize
    from nltk.translate.meteor_score import meteor_score

    scores = [
        meteor_score(
            [wordpunct_tokenize(text) for text in texts],
            wordpunct_tokenize(said),
            wordnet=wordnet or corpus.wordnet,
        )
        for texts, said in zip(segments.references, segments.completions, strict=True)
    ]
    signature = f"meteor|tok:wordpunct|lower|stem:porter|nltk:{version('nltk')}"
    return averaged(scores), signature


def lacks_wordnet() -> str:
    """How to get WordNet, if NLTK does not find it."""
    # pylint: disable-next=import-outside-toplevel # takes seconds to load
    from nltk.corpus import wordnet

    try:
        wordnet.ensure_loaded()
    except LookupError:
        return "WordNet is not installed; get it by: python -m nltk.downloader wordnet"
    return ""


def unfit_script(references: Sequence[Sequence[str]]) -> str:
    """Why METEOR says nothing about these references, if most of them is not Latin."""
    share = latin_share([text for texts in references for text in texts])
    if share >= MIN_LATIN:
        return ""
    return (
        f"its stems and synonyms are English, and {1 - share:.0%} of the references' "
        "letters are of another script; take chrf"
    )


METEOR_METRICS = [
    Metric(
        "meteor",
        "METEOR",
        count_matches,
        percent,
        lacks=lacks_wordnet,
        unfit=unfit_script,
    )
]
