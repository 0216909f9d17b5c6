"""Short answers: the same after what does not matter is taken away, or nearly so.

Source: Rajpurkar et al. 2016 (arXiv:1606.05250) and 2018 (arXiv:1806.03822), whose
evaluation script of SQuAD 2.0 this equals on English answers. The stratum says the
language: French articles, elided or not, and punctuation go in the manner of
d'Hoffschmidt et al. 2020 (FQuAD, arXiv:2002.06071); German and Spanish articles, the
punctuation of other scripts, and characters of scripts without spaces are treated as
by Lewis et al. 2020 (MLQA, arXiv:1910.07475). A stratum that is no language named here
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
"""Words that do not matter, by language; None: no word of it is an article."""
ASCII_PUNCTUATION = regex.compile(f"[{regex.escape(string.punctuation)}]")
PUNCTUATION = regex.compile(r"[\p{P}$+<=>^`|~]")
FOREIGN_PUNCTUATION = regex.compile(r"[\p{P}--[\x00-\xff\u2000-\u206f]]", regex.V1)
"""Of other scripts than the Latin one, which SQuAD's script does not know."""


def normalise(text: str, stratum: str = "en") -> str:
    """Lower case, without punctuation, articles and needless spaces.

    Returns: what is compared; empty for no answer.
    """
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
    """F1 of the words of two normalised answers, in 0..1; no answer equals itself."""
    words, gold_words = spaced(answer).split(), spaced(gold).split()
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

    A reference of which nothing is left counts only where all are so, as in SQuAD 2.0,
    or where the completion is that reference, sign by sign.
    Returns: statistics of a mean, shape [segments, 2], and how they were counted.
    """

    def one(said: str, references: Sequence[str], stratum: str) -> float:
        if said and said in references:
            return 1.0
        gold = {normalise(text, stratum) for text in references}
        gold = gold - {""} or gold
        return max(likeness(normalise(said, stratum), text) for text in gold)

    rows = zip(segments.completions, segments.references, segments.strata, strict=True)
    return (
        averaged(one(*row) for row in rows),
        f"{name}|squad-2.0|articles:en,fr,de,es|unspaced-char",
    )


def count_exact(segments: Segments) -> tuple[Array, str]:
    """1 where the completion is a reference, letter by letter but for white space.

    Composed and decomposed letters are the same.

    Returns: statistics of a mean, shape [segments, 2], and how they were counted.
    """
    rows = zip(segments.completions, segments.references, strict=True)
    found = [
        float(_bare(said) in [_bare(text) for text in references])
        for said, references in rows
    ]
    return averaged(found), "exact|case:kept|space:any"


def _bare(text: str) -> list[str]:
    return unicodedata.normalize("NFC", text).split()


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
