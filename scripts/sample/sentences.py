"""A finished sentence in both languages, and how clauses become one."""

from dataclasses import dataclass
from random import Random

from . import adjuncts, verbs
from .clauses import (
    NEGATIONS,
    Clause,
    french_question,
    pick_object,
    pick_subject,
    tense_for,
    to_english,
    to_french,
)
from .french import elide
from .phrases import Pair, Phrase


@dataclass(frozen=True)
class Sentence:
    """One pair, the construction it shows, and its combinations of words."""

    en: str
    fr: str
    stratum: str
    pairs: frozenset[Pair]


def capitalized(text: str) -> str:
    """The first letter in upper case, the rest as it is."""
    return text[0].upper() + text[1:]


def finish(
    english: str, french: str, stratum: str, pairs: frozenset[Pair], mark: str = "."
) -> Sentence:
    """Elision, a capital and the final mark, with the space that French puts."""
    space = "" if mark == "." else " "
    return Sentence(
        capitalized(english) + mark,
        capitalized(elide(french)) + space + mark,
        stratum,
        pairs,
    )


def statement(clause: Clause, stratum: str) -> Sentence:
    """The clause as a statement."""
    return finish(to_english(clause), to_french(clause), stratum, clause.pairs)


def timed(rng: Random, clause: Clause, stratum: str) -> Sentence:
    """A statement with a time, at its end or (one in three) at its beginning."""
    if clause.verb.stative or (clause.mark[0] and not clause.denied):
        return statement(clause, stratum)  # "always lost it last Monday" is no sense
    en, fr = adjuncts.time(rng, clause.tense)
    english, french = to_english(clause), to_french(clause)
    if rng.random() < 0.33:
        english, french = f"{en}, {english}", f"{fr}, {french}"
    else:
        english, french = f"{english} {en}", f"{french} {fr}"
    return finish(english, french, stratum, clause.pairs)


def question(
    clause: Clause, stratum: str, opening: tuple[str, str] = ("", "")
) -> Sentence:
    """The clause as a question, after an interrogative word if there is one."""
    english = f"{opening[0]} {to_english(clause, asks=True)}".strip()
    french = french_question(clause, opening[1])
    return finish(english, french, stratum, clause.pairs, "?")


def denial(rng: Random, tense: str) -> tuple[str, str]:
    """A negation that fits the tense; `never` and `no longer` fit only some."""
    word = "not"
    if tense in ("present", "past", "future"):
        word = rng.choice(NEGATIONS if tense != "past" else NEGATIONS[:2])
    return word, word


def pick_clause(
    rng: Random,
    tenses: tuple[str, ...],
    *,
    denied: bool = False,
    subject: Phrase | None = None,
    extras: float = 0.25,
) -> Clause:
    """A clause with or without object; sometimes an adverb, a manner or a place."""
    transitive = rng.random() < 0.72
    verb = rng.choice(verbs.TRANSITIVE if transitive else verbs.INTRANSITIVE)
    subject = subject or pick_subject(rng, verb)
    tense = tense_for(rng, verb, subject, tenses)
    mark = ("", "")
    if denied:
        mark = denial(rng, tense)
    elif tense in ("present", "past", "future") and rng.random() < 0.12:
        mark = adjuncts.frequency(rng, tense)
    extra: tuple[tuple[str, str], ...] = ()
    if rng.random() < (extras if transitive else 2 * extras) and not verb.stative:
        manner = rng.random() < 0.3 and verb.lemma in adjuncts.MANNERLY
        picked = rng.choice(adjuncts.MANNERS) if manner else adjuncts.place(rng)
        fits = picked[0] != "together" or subject.plural
        if fits and (manner or verb.lemma not in adjuncts.PLACELESS):
            extra = (picked,)
    thing = pick_object(rng, verb, denied) if transitive else None
    return Clause(subject, verb, tense, mark, thing, extra=extra)
