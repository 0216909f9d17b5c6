"""French spelling (elision, contraction) and verb groups (negation, clitics)."""

import re

from .conjugation import agree, paradigm
from .verbs import Verb

# Words that begin with a vowel or an h, yet nothing elides before them.
_ASPIRATED = ("haricot", "hibou", "héros", "homard", "hamster", "onze", "huit")
_VOWELS = "aàâeéèêiîoôuûœh"
_ELISION = re.compile(r"\b(j|l|d|qu|n|m|t|s|c)([ea]) (?=(\w+))", re.IGNORECASE)
_REFLEXIVE = ("me", "te", "se", "nous", "vous", "se")
_SEMI_AUXILIARY = {"near": "aller", "can": "pouvoir", "must": "devoir"}
_NEGATION = {"not": "pas", "never": "jamais", "no longer": "plus"}


def before_vowel(word: str) -> bool:
    """True if le, de, ce, ma … change before this word."""
    lower = word.lower()
    return lower[0] in _VOWELS and not lower.startswith(_ASPIRATED)


def elide(text: str) -> str:
    """Joins the short words to a vowel that follows: le homme → l'homme."""

    def shorten(match: re.Match[str]) -> str:
        consonant, vowel, following = match.groups()
        word = (consonant + vowel).lower()
        if word in _ELIDED and before_vowel(following):
            return consonant + "'"
        return match.group(0)

    return _ELISION.sub(shorten, text).replace("' ", "'")


_ELIDED = frozenset("je le la de que ne me te se ce".split())


def attach(preposition: str, phrase: str) -> str:
    """A preposition before a noun phrase: à + les → aux, de + des → de.

    The articles alone contract: use plain joining before a pronoun.
    """
    *before, last = preposition.split()
    article, _, rest = phrase.partition(" ")
    if last == "de" and article in ("des", "du"):
        words = ["de", rest]
    elif last == "de" and phrase.startswith(("de la ", "de l'", "de ")):
        bare = phrase.removeprefix("de la ").removeprefix("de l'")
        words = ["de", bare.strip().removeprefix("de ")]
    elif last in ("de", "à") and article == "les":
        words = ["des" if last == "de" else "aux", rest]
    elif last in ("de", "à") and article == "le" and not before_vowel(rest):
        words = ["du" if last == "de" else "au", rest]
    else:
        words = [last, phrase]
    return " ".join(before + words)


def verb_group(
    verb: Verb,
    subject: tuple[int, bool, str],
    tense: str,
    *,
    mark: str = "",
    clitic: str = "",
    agreement: tuple[str, bool] | None = None,
    inverted: str = "",
) -> str:
    """The whole group, from `ne` to the last participle or infinitive.

    Args:
        verb: any verb.
        subject: person, plural, gender.
        tense: present, past, imperfect, future, near, can or must.
        mark: an English negation, or a French adverb such as `souvent`.
        clitic: an object pronoun: me, le, la, nous, vous, les.
        agreement: gender and number of a direct object that stands before.
        inverted: the subject pronoun of an inverted question.
    """
    person, plural, gender = subject
    index = person - 1 + 3 * plural
    if verb.reflexive:
        clitic = _REFLEXIVE[index]
    finite, tail = _finite(verb, index, tense)
    if tense == "past":
        if verb.auxiliary == "être":
            agreement = (gender, plural)
        tail = agree(tail, *agreement) if agreement else tail
    elif tail and clitic:
        tail, clitic = f"{clitic} {tail}", ""
    if inverted:
        link = "-t-" if finite[-1] in "ae" and inverted[0] in "ie" else "-"
        finite = f"{finite}{link}{inverted}"
    denied = mark in _NEGATION
    words = ["ne" if denied else "", clitic, finite]
    words += [_NEGATION.get(mark, mark), tail, verb.fr_tail]
    return " ".join(word for word in words if word)


def _finite(verb: Verb, index: int, tense: str) -> tuple[str, str]:
    """The finite form, and the participle or infinitive that goes with it."""
    if tense in _SEMI_AUXILIARY:
        form = paradigm(_SEMI_AUXILIARY[tense]).present[index]
        return form, verb.infinitive
    if tense == "past":
        forms = paradigm(verb.infinitive)
        return paradigm(verb.auxiliary).present[index], forms.participle
    return getattr(paradigm(verb.infinitive), tense)[index], ""


def infinitive_group(verb: Verb, index: int) -> str:
    """The infinitive after another verb: (nous) voulons *nous lever*."""
    clitic = _REFLEXIVE[index] if verb.reflexive else ""
    words = (clitic, verb.infinitive, verb.fr_tail)
    return " ".join(word for word in words if word)


def french_tense(verb: Verb, tense: str) -> str:
    """The tense that says in French what an English one says; a rule, no choice."""
    if tense == "past" and verb.stative:
        return "imperfect"
    return {
        "progressive": "present",
        "was_doing": "imperfect",
        "used_to": "imperfect",
    }.get(tense, tense)
