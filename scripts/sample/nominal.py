"""Constructions around the noun: description, comparison, possession, number."""

from random import Random

from . import english, french, verbs
from .adjectives import ABSOLUTE, ADJECTIVES
from .adjectives import BY_KIND as ADJECTIVES_OF
from .adjectives import Adjective
from .adjuncts import described_place, place
from .clauses import Clause, pick_phrase, pick_subject, to_english, to_french
from .conjugation import agree, paradigm
from .nouns import BY_KIND, Noun, of_kinds
from .numbers import english_number, french_number
from .phrases import NAMES, Phrase, determined, pick_adjectives
from .sentences import Sentence, finish

_DEGREES = (("very", "très"), ("too", "trop"), ("", ""), ("", ""), ("", ""))
_MEASURES = (
    ("a kilo of", "un kilo de", "FM"),
    ("a slice of", "une tranche de", "M"),
    ("a basket of", "un panier de", "F"),
    ("a box of", "une boîte de", "F"),
    ("a glass of", "un verre de", "D"),
    ("a cup of", "une tasse de", "D"),
    ("a bottle of", "une bouteille de", "D"),
    ("a lot of", "beaucoup de", "FMDRC"),
    ("too much", "trop de", "MD"),
    ("too many", "trop de", "FRC"),
    ("enough", "assez de", "FMD"),
)
_LIQUID = ("soup", "oil", "honey", "jam", "rice", "sugar", "salad", "butter")


def _said(
    subject: Phrase, tense: str, mark: str, predicate: tuple[str, str]
) -> tuple[str, str]:
    """Subject + be + predicate."""
    clause = Clause(subject, verbs.BE, tense, (mark, mark), extra=(predicate,))
    return to_english(clause), to_french(clause)


def _describable(rng: Random) -> tuple[Phrase, Adjective]:
    """A subject and an adjective that suits it."""
    if rng.random() < 0.3:
        subject = pick_subject(rng, verbs.DATIVE[0], adjective=0)
        kind = subject.noun.kind if subject.noun else "P"
        return subject, rng.choice(ADJECTIVES_OF[kind])
    adjective = rng.choice(ADJECTIVES)
    noun = rng.choice(of_kinds(adjective.kinds))
    return pick_phrase(rng, noun, "definite", adjective=0), adjective


def _pair(adjective: Adjective, noun: Noun | None) -> frozenset[tuple[str, str, str]]:
    return frozenset({("adjective", adjective.en, noun.en)} if noun else ())


def description(rng: Random) -> Sentence:
    """The houses were too old → les maisons étaient trop vieilles."""
    subject, adjective = _describable(rng)
    degree = ("", "") if adjective.en in ABSOLUTE else rng.choice(_DEGREES)
    tense = rng.choice(("present", "present", "past", "future"))
    mark = "not" if rng.random() < 0.2 else ""
    form = adjective.agree(subject.gender, subject.plural)
    predicate = (f"{degree[0]} {adjective.en}".strip(), f"{degree[1]} {form}".strip())
    said = _said(subject, tense, mark, predicate)
    return finish(*said, "description", subject.pairs | _pair(adjective, subject.noun))


def comparison(rng: Random) -> Sentence:
    """Taller than, less tall than, as tall as → plus, moins, aussi … que."""
    subject, adjective = _describable(rng)
    while adjective.en in ABSOLUTE | {"good", "bad"}:
        subject, adjective = _describable(rng)
    kind = subject.noun.kind if subject.noun else "P"
    noun = rng.choice([n for n in BY_KIND[kind] if n != subject.noun])
    other = pick_phrase(rng, noun, "definite", adjective=0)
    form = adjective.agree(subject.gender, subject.plural)
    en, fr = rng.choice(
        (
            (f"{adjective.comparative} than", "plus"),
            (f"{adjective.comparative} than", "plus"),
            (f"less {adjective.en} than", "moins"),
            (f"as {adjective.en} as", "aussi"),
        )
    )
    tense = rng.choice(("present", "present", "past"))
    said = _said(
        subject, tense, "", (f"{en} {other.en}", f"{fr} {form} que {other.fr}")
    )
    pairs = _pair(adjective, subject.noun) | _pair(adjective, noun)
    return finish(*said, "comparison", subject.pairs | other.pairs | pairs)


def possession(rng: Random) -> Sentence:
    """Marie's book → le livre de Marie; the boy's dog → le chien du garçon."""
    owner = rng.choice(NAMES)
    if rng.random() < 0.6:
        owner = determined(rng.choice(BY_KIND["P"]), rng.choice(("the", "my")), False)
    noun = rng.choice(of_kinds("TCVRA"))
    adjectives = pick_adjectives(rng, noun, 0.3)
    plural = rng.random() < 0.3
    thing = determined(noun, "the", plural, adjectives)
    genitive = f"{owner.en}'s {thing.en.removeprefix('the ')}"
    phrase = Phrase(
        genitive,
        f"{thing.fr} {french.attach('de', owner.fr)}",
        plural=plural,
        gender=noun.gender,
        noun=noun,
        pairs=thing.pairs,
    )
    fitting = [v for v in verbs.TRANSITIVE if noun in of_kinds(v.kinds)]
    if rng.random() < 0.4:
        adjective = rng.choice(ADJECTIVES_OF[noun.kind])
        form = adjective.agree(noun.gender, plural)
        said = _said(phrase, "present", "", (adjective.en, form))
        return finish(*said, "possession", phrase.pairs | _pair(adjective, noun))
    verb = rng.choice([v for v in fitting if v.en not in (v.past, "have")])
    subject = pick_subject(rng, verbs.DATIVE[0])
    tense = rng.choice(("past", "future"))
    clause = Clause(subject, verb, tense, object=phrase)
    return finish(to_english(clause), to_french(clause), "possession", clause.pairs)


def number(rng: Random) -> Sentence:
    """Twenty-one apples → vingt et une pommes; twelve years old → a douze ans."""
    value = rng.randint(2, 20) if rng.random() < 0.6 else rng.randint(21, 100)
    if rng.random() < 0.2:
        subject = pick_subject(rng, verbs.DATIVE[0])
        have = paradigm("avoir").present[subject.person - 1 + 3 * subject.plural]
        en = f"{subject.en} {english.be(subject.person, subject.plural)}"
        en = f"{en} {english_number(value)} years old"
        fr = f"{subject.fr} {have} {french_number(value)} ans"
        return finish(en, fr, "number", subject.pairs)
    verb = rng.choice(
        [
            v
            for v in verbs.TRANSITIVE
            if set("FTRCA") & set(v.kinds) and (v.en == "have" or not v.stative)
        ]
    )
    nouns = [n for n in of_kinds(verb.kinds) if not n.mass]
    noun = rng.choice(nouns)
    thing = determined(noun, str(value), True, pick_adjectives(rng, noun, 0.25))
    subject = pick_subject(rng, verb)
    tense = "past" if rng.random() < 0.6 or verb.past == verb.en else "future"
    clause = Clause(subject, verb, tense, object=thing)
    return finish(to_english(clause), to_french(clause), "number", clause.pairs)


def existential(rng: Random) -> Sentence:
    """There is a cat in the garden → il y a un chat dans le jardin."""
    noun = rng.choice(of_kinds("PATCFMDRVB"))
    plural = not noun.mass and rng.random() < 0.5
    choices = ["some"] if noun.mass else ["a"]
    if plural:
        choices = ["some", "several", "many", str(rng.randint(2, 30))]
    phrase = determined(
        noun, rng.choice(choices), plural, pick_adjectives(rng, noun, 0.4)
    )
    where, more = place(rng), frozenset[tuple[str, str, str]]()
    if noun.kind in "TFMDRC" and rng.random() < 0.5:
        table = determined(rng.choice(BY_KIND["h"]), "the", False)
        where = (f"on {table.en}", f"sur {table.fr}")
    elif rng.random() < 0.3:
        where, more = described_place(rng)
    en, fr = rng.choice(
        (
            ("there are" if plural else "there is", "il y a"),
            ("there were" if plural else "there was", "il y avait"),
            ("there will be", "il y aura"),
        )
    )
    if rng.random() < 0.15 and phrase.denied:
        bare = phrase.denied[1].removeprefix("de ")
        english_bare = phrase.denied[0].split(" ", 1)[1]
        fr = fr.replace("il y ", "il n'y ") + f" pas de {bare}"
        en = f"{en} no {english_bare}"
    else:
        en, fr = f"{en} {phrase.en}", f"{fr} {phrase.fr}"
    pairs = phrase.pairs | more
    return finish(f"{en} {where[0]}", f"{fr} {where[1]}", "existential", pairs)


def quantity(rng: Random) -> Sentence:
    """A glass of water → un verre d'eau; too many apples → trop de pommes."""
    en, fr, kinds = rng.choice(_MEASURES)
    noun = rng.choice(of_kinds(kinds))
    while en == "a slice of" and noun.en in _LIQUID:
        noun = rng.choice(of_kinds(kinds))
    amount = (noun.en, noun.fr) if noun.mass else (noun.en_plural, noun.fr_plural)
    thing = Phrase(
        f"{en} {amount[0]}", f"{fr} {amount[1]}", plural=not noun.mass, noun=noun
    )
    names = [v for v in verbs.TRANSITIVE if noun.kind in v.kinds and not v.stative]
    verb = rng.choice([v for v in names if v.past != v.en and not v.preposition])
    subject = pick_subject(rng, verbs.DATIVE[0])
    tense = rng.choice(("past", "past", "future", "near"))
    clause = Clause(subject, verb, tense, object=thing)
    return finish(to_english(clause), to_french(clause), "quantity", clause.pairs)


def passive(rng: Random) -> Sentence:
    """The letter was written by Marie → la lettre a été écrite par Marie."""
    choices = [v for v in verbs.TRANSITIVE if not (v.stative or v.preposition)]
    verb = rng.choice([v for v in choices if not v.particle])
    noun = rng.choice(of_kinds(verb.kinds))
    patient = pick_phrase(rng, noun, "definite", adjective=0.2)
    agent = rng.choice(NAMES)
    if rng.random() < 0.6:
        agent = determined(rng.choice(BY_KIND["P"]), rng.choice(("the", "a")), False)
    index = 3 * patient.plural + 2
    tense = rng.choice(("present", "past", "past", "future"))
    participle = agree(
        paradigm(verb.infinitive).participle, noun.gender, patient.plural
    )
    finite = {
        "present": paradigm("être").present[index],
        "past": paradigm("avoir").present[index] + " été",
        "future": paradigm("être").future[index],
    }[tense]
    auxiliary = english.verb_group(verbs.BE, (3, patient.plural), tense)
    be = " ".join(word for word in auxiliary if word)
    en = f"{patient.en} {be} {verb.participle} by {agent.en}"
    fr = f"{patient.fr} {finite} {participle} par {agent.fr}"
    pairs = patient.pairs | {("object", verb.lemma, noun.en)}
    return finish(en, fr, "passive", pairs)
