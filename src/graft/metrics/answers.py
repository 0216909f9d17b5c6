"""Short answers: the same after what does not matter is taken away, or nearly so.

Source: Rajpurkar et al. 2016 (arXiv:1606.05250) and 2018 (arXiv:1806.03822), whose
evaluation script of SQuAD 2.0 this equals on English answers. On French ones (stratum
`fr`) French articles, elided or not, and punctuation go, in the manner of d'Hoffschmidt
et al. 2020 (FQuAD, arXiv:2002.06071).
"""

import re
import string
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial

from graft.metrics.statistics import Array, Metric, Segments, averaged, percent
from graft.records import UNANSWERABLE

ENGLISH_ARTICLES = re.compile(r"\b(a|an|the)\b")
FRENCH_ARTICLES = re.compile(r"\b((de )?l'|(de la|le|la|les|un|une|des|du)\b)")
FRENCH_PUNCTUATION = str.maketrans(dict.fromkeys(string.punctuation + "«»…“”–—", " "))
PUNCTUATION = str.maketrans(dict.fromkeys(string.punctuation))


def normalise(text: str, stratum: str = "en") -> str:
    """Lower case, without punctuation, articles and needless spaces.

    Returns: what is compared; empty for no answer.
    """
    text = text.lower()
    if stratum == "fr":
        text = FRENCH_ARTICLES.sub(" ", text.replace("’", "'"))
        text = text.translate(FRENCH_PUNCTUATION)
    else:
        text = ENGLISH_ARTICLES.sub(" ", text.translate(PUNCTUATION))
    text = " ".join(text.split())
    return "" if text == UNANSWERABLE else text


def token_f1(answer: str, gold: str) -> float:
    """F1 of the words of two normalised answers, in 0..1; no answer equals itself."""
    words, gold_words = answer.split(), gold.split()
    if not words or not gold_words:
        return float(words == gold_words)
    num_common = (Counter(words) & Counter(gold_words)).total()
    return 2 * num_common / (len(words) + len(gold_words))


def is_equal(answer: str, gold: str) -> float:
    """1 if two normalised answers are the same, else 0."""
    return float(answer == gold)


def best(
    segments: Segments, likeness: Callable[[str, str], float], name: str
) -> tuple[Array, str]:
    """Likeness to the nearest reference, of each segment.

    A reference of which nothing is left counts only where all are so, as in SQuAD 2.0.
    Returns: statistics of a mean, shape [segments, 2], and how they were counted.
    """

    def one(said: str, references: Sequence[str], stratum: str) -> float:
        gold = {normalise(text, stratum) for text in references}
        gold = gold - {""} or gold
        return max(likeness(normalise(said, stratum), text) for text in gold)

    rows = zip(segments.completions, segments.references, segments.strata, strict=True)
    return averaged(one(*row) for row in rows), f"{name}|squad-2.0|articles:en,fr"


def count_exact(segments: Segments) -> tuple[Array, str]:
    """1 where the completion is a reference, letter by letter but for white space.

    Returns: statistics of a mean, shape [segments, 2], and how they were counted.
    """
    rows = zip(segments.completions, segments.references, strict=True)
    found = [
        float(said.split() in [text.split() for text in references])
        for said, references in rows
    ]
    return averaged(found), "exact|case:kept|space:any"


ANSWER_METRICS = [
    Metric("exact_match", "Exact match, %", count_exact, percent),
    Metric(
        "answer_match",
        "Answer exact match, %",
        partial(best, likeness=is_equal, name="em"),
        percent,
    ),
    Metric(
        "answer_f1",
        "Answer token F1, %",
        partial(best, likeness=token_f1, name="f1"),
        percent,
    ),
]
