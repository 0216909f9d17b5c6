"""Constructions of one clause: tenses, negation, questions, commands."""

from dataclasses import replace
from random import Random

from . import adjuncts, french, verbs
from .clauses import (
    Clause,
    pick_object,
    pick_phrase,
    pick_subject,
    tense_for,
    to_english,
    to_french,
)
from .nouns import BY_KIND, of_kinds
from .phrases import PRONOUNS, Phrase, determined
from .sentences import Sentence, finish, pick_clause, question, statement, timed

_DIRECT = tuple(v for v in verbs.TRANSITIVE if not v.preposition and v.en != "have")
_ACTIVE = tuple(v for v in _DIRECT if not v.stative)
_ORDERS = tuple(v for v in _ACTIVE if v.lemma not in ("see", "receive", "meet", "lose"))
_QUESTION_TENSES = ("present", "progressive", "past", "future", "near", "can")


def _in_tenses(rng: Random, stratum: str, tenses: tuple[str, ...]) -> Sentence:
    clause = pick_clause(rng, tenses)
    if rng.random() < 0.4 and not clause.extra:
        return timed(rng, clause, stratum)
    return statement(clause, stratum)


def present(rng: Random) -> Sentence:
    """She reads / is reading → elle lit."""
    return _in_tenses(rng, "present", ("present", "progressive"))


def past(rng: Random) -> Sentence:
    """She arrived → elle est arrivée; of a state: she knew → elle connaissait."""
    return _in_tenses(rng, "past", ("past",))


def imperfect(rng: Random) -> Sentence:
    """She was reading, she used to read → elle lisait."""
    return _in_tenses(rng, "imperfect", ("was_doing", "used_to"))


def future(rng: Random) -> Sentence:
    """She will read → elle lira; she is going to read → elle va lire."""
    return _in_tenses(rng, "future", ("future", "near"))


def negation(rng: Random) -> Sentence:
    """Not, never, no longer → ne … pas, jamais, plus; any apples → de pommes."""
    tenses = ("present", "past", "future", "progressive", "near", "can")
    return statement(pick_clause(rng, tenses, denied=True), "negation")


def _asker(rng: Random) -> Phrase:
    """A subject that one asks about: anyone but I."""
    subject = pick_subject(rng, verbs.BE)
    while subject.en == "I":
        subject = pick_subject(rng, verbs.BE)
    return subject


def yes_no(rng: Random) -> Sentence:
    """Does she read? → lit-elle ?; does Paul read? → est-ce que Paul lit ?"""
    clause = pick_clause(rng, _QUESTION_TENSES, subject=_asker(rng), extras=0.15)
    return question(clause, "question")


def wh_question(rng: Random) -> Sentence:
    """Where, when, why; what is asked by an object that is missing."""
    subject = _asker(rng)
    kind = rng.random()
    if kind < 0.35:
        verb = rng.choice([v for v in _ACTIVE if set(v.kinds) & set("TFRCw")])
        tense = tense_for(rng, verb, subject, _QUESTION_TENSES)
        return question(Clause(subject, verb, tense), "wh_question", ("what", "que"))
    if kind < 0.55:
        verb = rng.choice([v for v in _ACTIVE if set(v.kinds) & set("TFRC")])
        noun = rng.choice(of_kinds("".join(k for k in verb.kinds if k in "TFRC")))
        tense = tense_for(rng, verb, subject, ("past", "progressive", "future"))
        clause = Clause(
            subject,
            verb,
            tense,
            agreement=(noun.gender, True),
            more_pairs=frozenset({("object", verb.lemma, noun.en)}),
        )
        opening = (f"how many {noun.en_plural}", f"combien de {noun.fr_plural}")
        return question(clause, "wh_question", opening)
    clause = pick_clause(rng, _QUESTION_TENSES, subject=subject, extras=0)
    word = rng.choice((("where", "où"), ("when", "quand"), ("why", "pourquoi")))
    if clause.verb.stative:
        word = ("why", "pourquoi")
    return question(clause, "wh_question", word)


def who_question(rng: Random) -> Sentence:
    """Who reads the book? → qui lit le livre ?"""
    who = Phrase("who", "qui")
    clause = pick_clause(rng, _QUESTION_TENSES, subject=who)
    return finish(
        to_english(clause), to_french(clause), "wh_question", clause.pairs, "?"
    )


def command(rng: Random) -> Sentence:
    """Eat the apple! → mangez la pomme ! Do not eat it, and let us eat, too."""
    verb = rng.choice(_ORDERS)
    denied = rng.random() < 0.35
    together = not denied and rng.random() < 0.4
    mark = ("not", "not") if denied else ("", "")
    thing = pick_object(rng, verb, denied)
    clause = Clause(PRONOUNS[4 if together else 1], verb, "present", mark, thing)
    english = to_english(clause).split(" ", 1)[1]
    if together:
        english = f"let us {english}"
    spoken = to_french(clause).split(" ", 1)[1]
    return finish(english, spoken, "imperative", clause.pairs, "!")


def object_pronoun(rng: Random) -> Sentence:
    """She helped him → elle l'a aidé; him stands before the verb in French."""
    verb = rng.choice([v for v in _DIRECT if set("PA") & set(v.kinds)])
    subject = pick_subject(rng, verb)
    pronoun = rng.choice([p for p in PRONOUNS if p.person == 3 or p.en != subject.en])
    while subject.person == pronoun.person != 3:
        pronoun = rng.choice(PRONOUNS)
    tenses = ("present", "past", "future", "near", "can", "must")
    tense = tense_for(rng, verb, subject, tenses)
    mark = ("not", "not") if rng.random() < 0.25 else ("", "")
    return statement(
        Clause(subject, verb, tense, mark, pronoun=pronoun), "object_pronoun"
    )


def dative(rng: Random) -> Sentence:
    """She gives the book to the boy → au garçon; to him → elle lui donne …"""
    verb = rng.choice(verbs.DATIVE)
    subject = pick_subject(rng, verbs.DATIVE[0])
    tense = tense_for(rng, verb, subject, ("present", "past", "future", "near"))
    thing = pick_phrase(rng, rng.choice(of_kinds(verb.kinds)), "object")
    clause = Clause(subject, verb, tense, object=thing)
    if rng.random() < 0.35:
        pronoun = rng.choice([p for p in PRONOUNS if p.person != subject.person])
        form = {"le": "lui", "la": "lui", "les": "leur"}.get(
            pronoun.clitic[1], pronoun.clitic[1]
        )
        receiver = replace(pronoun, clitic=("", form))
        extra = ((f"to {pronoun.clitic[0]}", ""),)
        return statement(replace(clause, pronoun=receiver, extra=extra), "dative")
    person = pick_phrase(rng, rng.choice(BY_KIND["P"]), "subject")
    extra = ((f"to {person.en}", french.attach("à", person.fr)),)
    return statement(replace(clause, extra=extra), "dative")


def reflexive(rng: Random) -> Sentence:
    """She got up at five → elle s'est levée à cinq heures."""
    verb = rng.choice([v for v in verbs.INTRANSITIVE if v.reflexive])
    subject = pick_subject(rng, verb)
    tenses = ("present", "past", "past", "future", "near", "was_doing")
    tense = tense_for(rng, verb, subject, tenses)
    mark = ("not", "not") if rng.random() < 0.2 else ("", "")
    return timed(rng, Clause(subject, verb, tense, mark), "reflexive")


def motion(rng: Random) -> Sentence:
    """Goes to the market → va au marché; comes from Paris → vient de Paris."""
    verb = rng.choice((verbs.GO, verbs.GO, verbs.COME))
    subject = pick_subject(rng, verb)
    tenses = ("present", "past", "past", "future", "was_doing")
    tense = tense_for(rng, verb, subject, tenses)
    if rng.random() < 0.2:
        en, fr = rng.choice(adjuncts.CITIES)
        target = Phrase(en, fr)
    else:
        target = determined(rng.choice(BY_KIND["g"]), "the", False)
    extra = ((target.en, french.attach(verb.preposition or "à", target.fr)),)
    mark = ("not", "not") if rng.random() < 0.15 else ("", "")
    clause = Clause(subject, verb, tense, mark, extra=extra)
    return (
        timed(rng, clause, "motion")
        if rng.random() < 0.5
        else statement(clause, "motion")
    )
