"""Noun phrases in both languages: pronouns, names, determiners, adjectives."""

from dataclasses import dataclass, field, replace
from random import Random

from . import french
from .adjectives import BY_KIND as ADJECTIVES_OF
from .adjectives import PREDICATE_ONLY, Adjective
from .nouns import Noun
from .numbers import english_number, french_number
from .spelling import article

Pair = tuple[str, str, str]

# English: French masculine, feminine, plural.
DETERMINERS = {
    "the": ("le", "la", "les"),
    "a": ("un", "une", "des"),
    "this": ("ce", "cette", "ces"),
    "my": ("mon", "ma", "mes"),
    "his": ("son", "sa", "ses"),
    "her": ("son", "sa", "ses"),
    "our": ("notre", "notre", "nos"),
    "your": ("votre", "votre", "vos"),
    "their": ("leur", "leur", "leurs"),
}
_PLURAL_ONLY = {"several": "plusieurs", "a few": "quelques", "many": "beaucoup de"}


@dataclass(frozen=True)
class Phrase:  # pylint: disable=too-many-instance-attributes
    """What stands as subject or object."""

    en: str
    fr: str
    person: int = 3
    plural: bool = False
    gender: str = "m"
    noun: Noun | None = None
    animate: bool = True
    denied: tuple[str, str] | None = None  # both languages, as object of a negation
    pronoun: bool = False
    clitic: tuple[str, str] = ("", "")  # both languages, as object pronoun
    pairs: frozenset[Pair] = field(default_factory=frozenset)

    @property
    def en_agreement(self) -> tuple[int, bool]:
        """Person and number."""
        return self.person, self.plural

    @property
    def fr_agreement(self) -> tuple[int, bool, str]:
        """Person, number and gender."""
        return self.person, self.plural, self.gender


PRONOUNS = (
    Phrase("I", "je", 1, pronoun=True, clitic=("me", "me")),
    Phrase("you", "vous", 2, True, pronoun=True, clitic=("you", "vous")),
    Phrase("he", "il", pronoun=True, clitic=("him", "le")),
    Phrase("she", "elle", gender="f", pronoun=True, clitic=("her", "la")),
    Phrase("we", "nous", 1, True, pronoun=True, clitic=("us", "nous")),
    Phrase("they", "ils", plural=True, pronoun=True, clitic=("them", "les")),
)
_NAMES = {
    "m": "Paul Thomas Louis Antoine Lucas Nicolas Pierre Marc Julien Simon",
    "f": "Marie Claire Sophie Julie Alice Emma Camille Anne Louise Chloé",
}
NAMES = tuple(
    Phrase(name, name, gender=gender)
    for gender, names in _NAMES.items()
    for name in names.split()
)


def _with_adjectives(
    noun: Noun, plural: bool, adjectives: tuple[Adjective, ...]
) -> tuple[str, str]:
    """The noun with its adjectives, without determiner."""
    english = [*(a.en for a in adjectives), noun.en_plural if plural else noun.en]
    word = noun.fr_plural if plural else noun.fr
    words = [word]
    for adjective in adjectives:
        form = adjective.agree(noun.gender, plural)
        if adjective.before:
            if not plural and noun.gender == "m" and french.before_vowel(word):
                form = adjective.before_vowel
            words.insert(0, form)
        else:
            words.append(form)
    return " ".join(english), " ".join(words)


def determined(
    noun: Noun, determiner: str, plural: bool, adjectives: tuple[Adjective, ...] = ()
) -> Phrase:
    """A noun phrase.

    Args:
        noun: its head.
        determiner: a key of DETERMINERS; `some`; `each`; `several`, `a few`, `many`;
            `generic` (English without article); or a number in digits.
        plural: ignored where the determiner decides.
        adjectives: at most one before and one after the noun in French.
    """
    if determiner in _PLURAL_ONLY or determiner.isdigit():
        plural = True
    en, fr = _with_adjectives(noun, plural, adjectives)
    feminine = noun.gender == "f"
    vowel = french.before_vowel(fr)
    before = any(a.before for a in adjectives)
    denied = None
    if determiner.isdigit():
        value = int(determiner)
        words = english_number(value), french_number(value, feminine)
    elif determiner in _PLURAL_ONLY:
        words = determiner, _PLURAL_ONLY[determiner]
    elif determiner == "each":
        words = "each", "chaque"
    elif determiner == "generic":
        words = "", "les" if plural else ("la" if feminine else "le")
    elif determiner == "some":
        words = "some", _partitive(noun, plural, vowel, before)
        denied = (f"any {en}", f"de {fr}")
    else:
        words = determiner, _determiner(determiner, noun.gender, plural, vowel)
        if determiner == "a":
            words = article(en), words[1]
            denied = (f"{words[0]} {en}", f"de {fr}")
    return Phrase(
        en=f"{words[0]} {en}".strip(),
        fr=f"{words[1]} {fr}",
        plural=plural,
        gender=noun.gender,
        noun=noun,
        animate=noun.kind in "PA",
        denied=denied,
        pairs=frozenset(("adjective", a.en, noun.en) for a in adjectives),
    )


def _partitive(noun: Noun, plural: bool, vowel: bool, before: bool) -> str:
    if plural:
        return "de" if before else "des"
    if vowel:
        return "de l'"
    return "de la" if noun.gender == "f" else "du"


def _determiner(determiner: str, gender: str, plural: bool, vowel: bool) -> str:
    masculine, feminine, plural_form = DETERMINERS[determiner]
    if plural:
        return plural_form
    if vowel and feminine in ("ma", "sa"):
        return masculine
    if vowel and masculine == "ce" and gender == "m":
        return "cet"
    return feminine if gender == "f" else masculine


def pick_adjectives(rng: Random, noun: Noun, chance: float) -> tuple[Adjective, ...]:
    """No adjective, one, or (seldom) one before and one after."""
    fitting = ADJECTIVES_OF[noun.kind]
    if rng.random() >= chance:
        return ()
    first = rng.choice(fitting)
    if first.en in PREDICATE_ONLY:
        return ()
    if first.before and rng.random() < 0.15:
        after = [a for a in fitting if not a.before and a.en not in PREDICATE_ONLY]
        return first, rng.choice(after)
    return (first,)


def joined(first: Phrase, second: Phrase) -> Phrase:
    """Two persons as one plural subject; masculine unless both are feminine."""
    gender = "f" if first.gender == second.gender == "f" else "m"
    return replace(
        first,
        en=f"{first.en} and {second.en}",
        fr=f"{first.fr} et {second.fr}",
        plural=True,
        gender=gender,
        noun=None,
        denied=None,
        pairs=first.pairs | second.pairs,
    )
