"""Constructions of two clauses: relatives, reported speech, causes, infinitives."""

from dataclasses import replace
from random import Random

from . import verbs
from .adjectives import BY_KIND as ADJECTIVES_OF
from .clauses import (
    Clause,
    pick_phrase,
    pick_subject,
    tense_for,
    to_english,
    to_french,
)
from .french import infinitive_group
from .nouns import BY_KIND, of_kinds
from .phrases import NAMES, PRONOUNS, Phrase, determined, joined
from .sentences import Sentence, finish, pick_clause, statement
from .verbs import Verb

_DIRECT = tuple(
    v
    for v in verbs.TRANSITIVE
    if not v.preposition and v.past != v.en and v.en != "have"
)
_DOERS = tuple(
    v
    for v in verbs.INTRANSITIVE
    if v.en in ("work", "sleep", "dance", "sing", "play", "study", "walk", "swim")
) + (verbs.LIVE,)
_FINDERS = tuple(
    v
    for v in verbs.TRANSITIVE
    if v.lemma in ("see", "look for", "know", "describe", "look at", "visit", "find")
)
_TENSES = ("present", "past", "future")


def _extended(phrase: Phrase, clause: Clause, word: tuple[str, str]) -> Phrase:
    """A noun phrase with a relative clause behind it."""
    en = to_english(clause).removeprefix("who ").removeprefix("that ")
    fr = to_french(clause).removeprefix("qui ")
    pairs = phrase.pairs | clause.pairs
    return replace(
        phrase,
        en=f"{phrase.en} {word[0]} {en}",
        fr=f"{phrase.fr} {word[1]} {fr}",
        denied=None,
        pairs=pairs,
    )


def _subject_relative(rng: Random) -> Phrase:
    head = pick_phrase(rng, rng.choice(BY_KIND["P"]), "definite", adjective=0.1)
    who = replace(head, en="who", fr="qui", noun=None, pairs=frozenset())
    clause = pick_clause(rng, _TENSES, subject=who, extras=0.1)
    return _extended(head, clause, ("who", "qui"))


def _object_relative(rng: Random) -> Phrase:
    verb = rng.choice(_DIRECT)
    noun = rng.choice(of_kinds(verb.kinds))
    plural = not noun.mass and rng.random() < 0.3
    head = determined(noun, "the", plural)
    subject = pick_subject(rng, verb, adjective=0)
    clause = Clause(
        subject,
        verb,
        tense_for(rng, verb, subject, _TENSES),
        agreement=(noun.gender, plural),
        more_pairs=frozenset({("object", verb.lemma, noun.en)}),
    )
    return _extended(head, clause, ("that", "que"))


def _where_relative(rng: Random) -> Phrase:
    noun = rng.choice(BY_KIND["i"])
    verb = rng.choice(_DOERS)
    subject = pick_subject(rng, verbs.DATIVE[0], adjective=0)
    clause = Clause(subject, verb, tense_for(rng, verb, subject, _TENSES))
    return _extended(determined(noun, "the", False), clause, ("where", "où"))


def relative(rng: Random) -> Sentence:
    """The apple that she ate → la pomme qu'elle a mangée; qui, que and où."""
    build = rng.choice((_subject_relative, _object_relative, _where_relative))
    phrase = build(rng)
    assert phrase.noun is not None
    kind = phrase.noun.kind
    seekers = [v for v in _FINDERS if kind in v.kinds]
    if rng.random() < 0.45 or not seekers:
        adjective = rng.choice(ADJECTIVES_OF[kind])
        form = adjective.agree(phrase.gender, phrase.plural)
        tense = rng.choice(("present", "past"))
        extra = ((adjective.en, form),)
        pair = frozenset({("adjective", adjective.en, phrase.noun.en)})
        clause = Clause(phrase, verbs.BE, tense, extra=extra, more_pairs=pair)
        return statement(clause, "relative")
    verb = rng.choice(seekers)
    subject = pick_subject(rng, verbs.DATIVE[0], adjective=0)
    tense = tense_for(rng, verb, subject, _TENSES)
    return statement(Clause(subject, verb, tense, object=phrase), "relative")


def _infinitive(rng: Random, subject: Phrase, first: Verb) -> Clause:
    """The verb that follows another one, as a clause whose words are not yet said."""
    choices = verbs.TRANSITIVE if rng.random() < 0.7 else verbs.INTRANSITIVE
    verb = rng.choice([v for v in choices if not v.stative and v.en != first.en])
    thing = None
    if verb.kinds:
        noun = rng.choice(of_kinds(verb.kinds))
        thing = pick_phrase(rng, noun, "definite")
    return Clause(subject, verb, "present", object=thing)


def infinitive(rng: Random) -> Sentence:
    """Wants to eat → veut manger; tries to eat → essaie de manger."""
    first = rng.choice(verbs.CATENATIVE)
    subject = pick_subject(rng, first)
    index = subject.person - 1 + 3 * subject.plural
    second = _infinitive(rng, subject, first)
    neutral = replace(second, subject=Phrase("", "", 1))
    en = f"to {to_english(neutral)}"
    said = to_french(neutral)
    finite = to_french(replace(neutral, object=None))
    rest = said.removeprefix(finite)
    link = f"{first.preposition} " if first.preposition else ""
    fr = f"{link}{infinitive_group(second.verb, index)}{rest}"
    tense = tense_for(rng, first, subject, ("present", "past", "past"))
    mark = ("not", "not") if rng.random() < 0.25 else ("", "")
    clause = Clause(subject, first, tense, mark, extra=((en, fr),))
    return statement(replace(clause, more_pairs=second.pairs), "infinitive")


def modal(rng: Random) -> Sentence:
    """Can → pouvoir, must → devoir."""
    subject = pick_subject(rng, verbs.DATIVE[0])
    second = _infinitive(rng, subject, verbs.BE)
    mark = ("not", "not") if rng.random() < 0.3 else ("", "")
    tense = rng.choice(("can", "must"))
    return statement(replace(second, tense=tense, mark=mark), "modal")


def reported(rng: Random) -> Sentence:
    """Marie says that … → Marie dit que …"""
    verb = rng.choice(verbs.REPORTING)
    speaker = pick_subject(rng, verbs.DATIVE[0], adjective=0.1)
    inner = pick_clause(rng, ("present", "past", "future"), extras=0.1)
    first = Clause(speaker, verb, "present")
    en = f"{to_english(first)} that {to_english(inner)}"
    fr = f"{to_french(first)} que {to_french(inner)}"
    return finish(en, fr, "reported", speaker.pairs | inner.pairs)


def _scene(rng: Random) -> Clause:
    """A clause that goes on for a while: no state."""
    clause = pick_clause(rng, ("was_doing",), extras=0)
    while clause.verb.stative:
        clause = pick_clause(rng, ("was_doing",), extras=0)
    return clause


def _echo(rng: Random, subject: Phrase) -> Phrase:
    """The pronoun for a subject; `they` is masculine here, so not for women alone."""
    for pronoun in PRONOUNS:
        if pronoun.fr_agreement == subject.fr_agreement:
            return pronoun
    return rng.choice(NAMES)


def cause(rng: Random) -> Sentence:
    """Because → parce que; while → pendant que, with two imperfects."""
    if rng.random() < 0.4:
        first, second = _scene(rng), _scene(rng)
        link = ("while", "pendant que")
    else:
        first = pick_clause(
            rng, ("progressive", "past"), extras=0, denied=rng.random() < 0.3
        )
        subject = rng.choice((_echo(rng, first.subject), rng.choice(NAMES)))
        adjective = rng.choice(ADJECTIVES_OF["P"])
        form = adjective.agree(subject.gender, subject.plural)
        tense = "past" if first.tense == "past" else "present"
        second = Clause(subject, verbs.BE, tense, extra=((adjective.en, form),))
        link = ("because", "parce que")
    en = f"{to_english(first)} {link[0]} {to_english(second)}"
    fr = f"{to_french(first)} {link[1]} {to_french(second)}"
    return finish(en, fr, "subordinate", first.pairs | second.pairs)


def coordination(rng: Random) -> Sentence:
    """Two clauses, or two objects, with and → et, but → mais."""
    tenses = (rng.choice(("progressive", "past", "future")),)
    if rng.random() < 0.5:
        first = pick_clause(rng, tenses, extras=0.1)
        second = pick_clause(rng, tenses, extras=0.1, denied=rng.random() < 0.3)
        link = rng.choice((("and", "et"), (", but", ", mais")))
        en = f"{to_english(first)} {link[0]} {to_english(second)}"
        fr = f"{to_french(first)} {link[1]} {to_french(second)}"
        pairs = first.pairs | second.pairs
        return finish(
            en.replace(" ,", ","), fr.replace(" ,", ","), "coordination", pairs
        )
    verb = rng.choice([v for v in _DIRECT if not v.stative])
    nouns = rng.sample(of_kinds(verb.kinds), 2)
    things = [pick_phrase(rng, noun, "definite", adjective=0.2) for noun in nouns]
    pairs = frozenset(("object", verb.lemma, noun.en) for noun in nouns)
    both = joined(*things)
    subject = pick_subject(rng, verb)
    tense = tense_for(rng, verb, subject, tenses)
    clause = Clause(subject, verb, tense, object=both, more_pairs=pairs)
    return statement(clause, "coordination")
