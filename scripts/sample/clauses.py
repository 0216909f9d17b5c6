"""Clauses: a subject, a verb and its complements, said in both languages."""

from dataclasses import dataclass, field
from random import Random

from . import english, french
from .adjuncts import Adjunct
from .nouns import Noun, of_kinds
from .phrases import (
    NAMES,
    PRONOUNS,
    Pair,
    Phrase,
    determined,
    joined,
    pick_adjectives,
)
from .verbs import GENERIC, Verb

NEGATIONS = ("not", "never", "no longer")
_OWNERS = ("my", "his", "her", "our", "your", "their")
_OF_STATES = {"progressive": "present", "was_doing": "past", "can": "present"}
_SINGLE = ("mother", "father", "husband")  # "her fathers" is odd
_UNOWNED = ("man", "woman", "king", "queen", "hero")  # so is "her man"
_ANIMATE = of_kinds("PA")
_PERSONS = of_kinds("P")


@dataclass(frozen=True)
class Clause:  # pylint: disable=too-many-instance-attributes
    """One finite clause before it is put into words."""

    subject: Phrase
    verb: Verb
    tense: str
    mark: Adjunct = ("", "")  # negation (same in both) or adverb
    object: Phrase | None = None
    pronoun: Phrase | None = None
    extra: tuple[Adjunct, ...] = ()
    agreement: tuple[str, bool] | None = None
    more_pairs: frozenset[Pair] = field(default_factory=frozenset)

    @property
    def denied(self) -> bool:
        """True if the clause is negative."""
        return self.mark[0] in NEGATIONS

    @property
    def pairs(self) -> frozenset[Pair]:
        """The combinations of words that the held-out rule looks at."""
        found = self.subject.pairs | self.more_pairs
        if self.object is None:
            return found
        found |= self.object.pairs
        if self.object.noun is None:
            return found
        return found | {("object", self.verb.lemma, self.object.noun.en)}


def _words(*parts: str) -> str:
    return " ".join(part for part in parts if part)


def _object(clause: Clause) -> Adjunct:
    if clause.object is None:
        return clause.pronoun.clitic[0] if clause.pronoun else "", ""
    preposition = clause.verb.preposition
    phrase = clause.object
    if clause.denied and phrase.denied and not preposition:
        return phrase.denied
    fr = french.attach(preposition, phrase.fr) if preposition else phrase.fr
    return phrase.en, fr


def to_english(clause: Clause, asks: bool = False) -> str:
    """The clause in English; with `asks`, the auxiliary goes first."""
    auxiliary, rest = english.verb_group(
        clause.verb, clause.subject.en_agreement, clause.tense, clause.mark[0], asks
    )
    first = (auxiliary, clause.subject.en) if asks else (clause.subject.en, auxiliary)
    extra = (en for en, _ in clause.extra)
    return _words(*first, rest, _object(clause)[0], *extra)


def to_french(clause: Clause, asks: bool = False) -> str:
    """The clause in French; with `asks`, the subject is a pronoun behind the verb."""
    subject = clause.subject
    agreement, clitic = clause.agreement, ""
    if clause.pronoun:
        clitic = clause.pronoun.clitic[1]
        if clause.object is None:
            agreement = (clause.pronoun.gender, clause.pronoun.plural)
    group = french.verb_group(
        clause.verb,
        subject.fr_agreement,
        french.french_tense(clause.verb, clause.tense),
        mark=clause.mark[1],
        clitic=clitic,
        agreement=agreement,
        inverted=subject.fr if asks else "",
    )
    extra = (fr for _, fr in clause.extra)
    return _words("" if asks else subject.fr, group, _object(clause)[1], *extra)


def french_question(clause: Clause, opening: str = "") -> str:
    """Inversion after a pronoun (but not je), est-ce que after everything else."""
    if clause.subject.pronoun and clause.subject.fr != "je":
        return _words(opening, to_french(clause, asks=True))
    return _words(opening, "est-ce que", to_french(clause))


def pick_subject(
    rng: Random, verb: Verb | None = None, adjective: float = 0.2
) -> Phrase:
    """A pronoun, a name, two names, or a noun phrase."""
    kind = rng.random()
    if kind < 0.38:
        return rng.choice(PRONOUNS)
    if kind < 0.52:
        return rng.choice(NAMES)
    if kind < 0.56:
        return joined(*rng.sample(NAMES, 2))
    noun = rng.choice(_ANIMATE if verb is None or verb.animate else _PERSONS)
    return pick_phrase(rng, noun, "subject", adjective)


def pick_phrase(rng: Random, noun: Noun, role: str, adjective: float = 0.25) -> Phrase:
    """A determiner, a number and perhaps an adjective for a noun.

    Args:
        role: `subject`, `object`, `denied` (nothing that a negation makes odd),
            `definite`, or `generic` (the object of like, love …).
    """
    plural = not noun.mass and noun.en not in _SINGLE and rng.random() < 0.35
    kind = rng.random()
    if role == "generic" and kind < 0.5:
        return determined(noun, "generic", not noun.mass)
    if kind < 0.42:
        determiner = "the"
    elif kind < 0.58 and role not in ("generic", "definite"):
        determiner = "some" if plural or noun.mass else "a"
    elif kind < 0.68:
        determiner = "this" if not plural else "the"
    elif kind < 0.92 or noun.mass or role != "object":
        determiner = rng.choice(_OWNERS)
    else:
        determiner = rng.choice(("several", "a few", "many", str(rng.randint(2, 12))))
    if noun.en in _UNOWNED and determiner in _OWNERS:
        determiner = "the"
    return determined(noun, determiner, plural, pick_adjectives(rng, noun, adjective))


def pick_object(rng: Random, verb: Verb, denied: bool = False) -> Phrase:
    """An object that suits a verb."""
    noun = rng.choice(of_kinds(verb.kinds))
    if verb.lemma in GENERIC:
        return pick_phrase(rng, noun, "generic")
    return pick_phrase(rng, noun, "denied" if denied else "object")


def tense_for(rng: Random, verb: Verb, subject: Phrase, tenses: tuple[str, ...]) -> str:
    """One of the tenses, made safe.

    A state takes no progressive, and "they read" would be present as well as past:
    such a verb keeps to the progressive.
    """
    tense = rng.choice(tenses)
    third = subject.person == 3 and not subject.plural
    if verb.stative:
        return _OF_STATES.get(tense, tense)
    if tense == "present" and verb.past == verb.en and not third:
        return "progressive"
    return tense
