"""Short answers: exact match and token F1 after normalisation.

Sources: Rajpurkar et al. 2016 (arXiv:1606.05250) and 2018 (arXiv:1806.03822); on
English answers the values equal those of the SQuAD 2.0 evaluation script. The stratum
is the language: French articles, elided or not, and punctuation are removed as by
d'Hoffschmidt et al. 2020 (FQuAD, arXiv:2002.06071); German and Spanish articles, the
punctuation of other scripts, and characters of scripts without spaces are treated as by
Lewis et al. 2020 (MLQA, arXiv:1910.07475). A stratum that is not a language listed here
is scored by the English rules.
"""

import string
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import regex

from graft.metrics.statistics import Array, Metric, Segments, averaged, percent
from graft.metrics.words import fold, spaced
from graft.records import UNANSWERABLE

ARTICLES: Mapping[str, regex.Pattern[str] | None] = {
    "en": regex.compile(r"\b(a|an|the)\b"),
    "fr": regex.compile(r"\b((de )?l'|(de la|le|la|les|un|une|des|du)\b)"),
    "de": regex.compile(
        r"\b(ein|eine|einen|einem|eines|einer|der|die|das|den|dem|des)\b"
    ),
    "es": regex.compile(r"\b(un|una|unos|unas|el|la|los|las)\b"),
    **dict.fromkeys(
        "ar bn cs fa he hi id ja km ko lo my pl ru sw th tr uk vi zh".split()
    ),
}
"""Articles, which are removed, by language; None: the language has none."""
ASCII_PUNCTUATION = regex.compile(f"[{regex.escape(string.punctuation)}]")
PUNCTUATION = regex.compile(r"[\p{P}$+<=>^`|~]")
FOREIGN_PUNCTUATION = regex.compile(r"[\p{P}--[\x00-\xff\u2000-\u206f]]", regex.V1)
"""Punctuation of non-Latin scripts, which SQuAD's script does not handle."""


def normalise(text: str, stratum: str = "en") -> str:
    """The answer in lower case, without punctuation, articles and extra spaces; empty
    for no answer."""
    language = stratum if stratum in ARTICLES else "en"
    articles = ARTICLES[language]
    text = FOREIGN_PUNCTUATION.sub(" ", fold(text).lower())
    if language == "en":
        text = ASCII_PUNCTUATION.sub("", text)
    else:
        text = text.replace("’", "'")
    text = articles.sub(" ", text) if articles else text
    text = text if language == "en" else PUNCTUATION.sub(" ", text)
    text = " ".join(text.split())
    return "" if text == UNANSWERABLE else text


def token_f1(answer: str, gold: str) -> float:
    """F1 of the words of two normalised answers, in 0..1; 1 if both are empty."""
    words, gold_words = spaced(answer).split(), spaced(gold).split()
    if not words or not gold_words:
        return float(words == gold_words)
    num_common = (Counter(words) & Counter(gold_words)).total()
    return 2 * num_common / (len(words) + len(gold_words))


def is_equal(answer: str, gold: str) -> float:
    """1 if two normalised answers are the same, else 0."""
    return float(answer == gold)


def score_best(
    segments: Segments, similarity: Callable[[str, str], float], name: str
) -> tuple[Array, str]:
    """Similarity of each completion to its most similar reference.

    A reference that is empty after normalisation counts only if all are, as in SQuAD
    2.0, or if the completion is literally that reference.
    """

    def score(completion: str, references: Sequence[str], stratum: str) -> float:
        if completion and completion in references:
            return 1.0
        gold = {normalise(text, stratum) for text in references}
        gold = gold - {""} or gold
        return max(similarity(normalise(completion, stratum), text) for text in gold)

    rows = zip(segments.completions, segments.references, segments.strata, strict=True)
    return (
        averaged(score(*row) for row in rows),
        f"{name}|squad-2.0|articles:en,fr,de,es|unspaced-char",
    )


def count_exact(segments: Segments) -> tuple[Array, str]:
    """1 where the completion equals a reference except for white space and composed
    letters."""
    found = [
        float(_bare(completion) in [_bare(text) for text in references])
        for completion, references in segments.pairs()
    ]
    return averaged(found), "exact|case:kept|space:any"


def _bare(text: str) -> list[str]:
    return unicodedata.normalize("NFC", text).split()


ANSWER_METRICS = [
    Metric("exact_match", "Exact match, %", count_exact, percent),
    Metric(
        "answer_match",
        "Answer exact match, %",
        partial(score_best, similarity=is_equal, name="em"),
        percent,
    ),
    Metric(
        "answer_f1",
        "Answer token F1, %",
        partial(score_best, similarity=token_f1, name="f1"),
        percent,
    ),
]
