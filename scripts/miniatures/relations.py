"""What is told of a person, in either language, and how one asks for it."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from random import Random

from sample.adjectives import BY_KIND as ADJECTIVES_OF
from sample.adjuncts import CITIES
from sample.conjugation import paradigm
from sample.french import attach, elide
from sample.nouns import BY_KIND, Noun, of_kinds
from sample.numbers import english_number, french_number
from sample.phrases import determined, pick_adjectives
from sample.spelling import third_person
from sample.verbs import TRANSITIVE, Verb

_COLORS = frozenset("red blue green white black yellow gray brown pink".split())
_DEEDS = frozenset("eat|buy|sell|read|draw|wash|look for|hide|forget|cut".split("|"))
_PREPOSITIONS = (("in", "dans"), ("behind", "derrière"), ("in front of", "devant"))
_ARTICLE = re.compile(r"^(?:the|an?|le|la|les|une?) |^l'")


@dataclass(frozen=True)
class Fact:
    """A sentence about a person.

    Args:
        key: what kind of thing it tells; a person has one fact of a kind.
        ask: the question for its value, with `{}` for the person.
        who: the question for the person.
        answers: the value as the sentence has it, then a shorter form of it.
        words: what no other sentence of a context may mention.
    """

    name: str
    key: str
    sentence: str
    ask: str
    who: str
    answers: tuple[str, ...]
    words: frozenset[str]


Relation = Callable[[Random, str, bool], Fact]


def _fact(
    name: str,
    key: str,
    said: tuple[str, str, str],
    answers: tuple[str, ...],
    words: tuple[str, ...],
) -> Fact:
    sentence, ask, who = (elide(text) for text in said)
    answers = tuple(dict.fromkeys(elide(text) for text in answers))
    return Fact(name, key, sentence, ask, who, answers, frozenset(words))


def _bare(phrase: str) -> str:
    """A phrase without its article."""
    return _ARTICLE.sub("", elide(phrase))


def _described(rng: Random, noun: Noun, determiner: str) -> tuple[str, str, list[str]]:
    """A phrase in English and French, and the words in it."""
    adjectives = pick_adjectives(rng, noun, 0.7)
    phrase = determined(noun, determiner, False, adjectives)
    return phrase.en, phrase.fr, [noun.en, *(a.en for a in adjectives)]


def place(rng: Random, name: str, french: bool) -> Fact:
    """Paul is behind the big house."""
    noun = rng.choice(BY_KIND["i"])
    preposition = rng.choice(_PREPOSITIONS)
    en, fr, words = _described(rng, noun, "the")
    if french:
        where = attach(preposition[1], fr)
        said = f"{name} est {where}.", "Où est {} ?", f"Qui est {where} ?"
        return _fact(name, "where", said, (where, fr), tuple(words))
    where = f"{preposition[0]} {en}"
    said = f"{name} is {where}.", "Where is {}?", f"Who is {where}?"
    return _fact(name, "where", said, (where, en), tuple(words))


def home(rng: Random, name: str, french: bool) -> Fact:
    """Paul lives in Lyon."""
    en, fr = rng.choice(CITIES)
    if french:
        said = f"{name} habite à {fr}.", "Où habite {} ?", f"Qui habite à {fr} ?"
        return _fact(name, "where", said, (f"à {fr}", fr), (en,))
    said = f"{name} lives in {en}.", "Where does {} live?", f"Who lives in {en}?"
    return _fact(name, "where", said, (f"in {en}", en), (en,))


def animal(rng: Random, name: str, french: bool) -> Fact:
    """Paul has a black cat."""
    en, fr, words = _described(rng, rng.choice(BY_KIND["A"]), "a")
    if french:
        said = f"{name} a {fr}.", "Quel animal a {} ?", f"Qui a {fr} ?"
        return _fact(name, "animal", said, (fr, _bare(fr)), tuple(words))
    said = f"{name} has {en}.", "What animal does {} have?", f"Who has {en}?"
    return _fact(name, "animal", said, (en, _bare(en)), tuple(words))


def amount(rng: Random, name: str, french: bool) -> Fact:
    """Paul has seven apples."""
    noun = rng.choice(of_kinds("FR"))
    value = rng.randint(2, 20)
    number = french_number(value) if french else english_number(value)
    things = f"{number} {noun.fr_plural if french else noun.en_plural}"
    if french:
        ask = f"Combien de {noun.fr_plural} a {{}} ?"
        said = f"{name} a {things}.", ask, f"Qui a {things} ?"
    else:
        ask = f"How many {noun.en_plural} does {{}} have?"
        said = f"{name} has {things}.", ask, f"Who has {things}?"
    return _fact(name, "amount", said, (number, things), (noun.en, str(value)))


def age(rng: Random, name: str, french: bool) -> Fact:
    """Paul is seven years old."""
    value = rng.randint(2, 20)
    number = french_number(value) if french else english_number(value)
    if french:
        years = f"{number} ans"
        said = f"{name} a {years}.", "Quel âge a {} ?", f"Qui a {years} ?"
    else:
        years = f"{number} years old"
        said = f"{name} is {years}.", "How old is {}?", f"Who is {years}?"
    return _fact(name, "age", said, (years, number), (str(value),))


def color(rng: Random, name: str, french: bool) -> Fact:
    """Paul's hat is red."""
    noun = rng.choice(of_kinds("CV"))
    hue = rng.choice([a for a in ADJECTIVES_OF[noun.kind] if a.en in _COLORS])
    phrase = determined(noun, "a", False, (hue,))
    if french:
        owned = f"{determined(noun, 'the', False).fr} de"
        form = hue.agree(noun.gender, False)
        sentence = f"{owned} {name} est {form}."
        ask = f"De quelle couleur est {owned} {{}} ?"
        said = sentence[0].upper() + sentence[1:], ask, f"Qui a {phrase.fr} ?"
        return _fact(name, f"color of {noun.en}", said, (form,), (noun.en, hue.en))
    ask = f"What color is {{}}'s {noun.en}?"
    said = f"{name}'s {noun.en} is {hue.en}.", ask, f"Who has {phrase.en}?"
    return _fact(name, f"color of {noun.en}", said, (hue.en,), (noun.en, hue.en))


def deed(rng: Random, name: str, french: bool, verb: Verb) -> Fact:
    """Paul buys the green coat."""
    en, fr, words = _described(rng, rng.choice(of_kinds(verb.kinds)), "the")
    if french:
        does = paradigm(verb.infinitive).present[2]
        said = f"{name} {does} {fr}.", f"Que {does} {{}} ?", f"Qui {does} {fr} ?"
        return _fact(name, verb.lemma, said, (fr, _bare(fr)), tuple(words))
    does = f"{third_person(verb.en)} {verb.particle}".strip()
    ask = f"What does {{}} {verb.lemma}?"
    said = f"{name} {does} {en}.", ask, f"Who {does} {en}?"
    return _fact(name, verb.lemma, said, (en, _bare(en)), tuple(words))


_VERBS = [verb for verb in TRANSITIVE if verb.lemma in _DEEDS]
RELATIONS: tuple[Relation, ...] = (place, home, animal, amount, age, color) + tuple(
    partial(deed, verb=verb) for verb in _VERBS
)
WEIGHTS = (20, 12, 18, 24, 14, 26) + (6,) * len(_VERBS)
