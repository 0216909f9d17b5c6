"""Documents about words in one language: lists, plurals, forms of verbs."""

from random import Random

from . import english, verbs
from .adjectives import ADJECTIVES
from .conjugation import paradigm
from .french import elide
from .nouns import BY_KIND, NOUNS, Noun
from .phrases import PRONOUNS, determined
from .spelling import english_ing

KIND_NAMES = {
    "P": ("people", "personnes"),
    "A": ("animals", "animaux"),
    "F": ("fruit and vegetables", "fruits et légumes"),
    "M": ("food", "nourriture"),
    "D": ("drinks", "boissons"),
    "R": ("reading", "lecture"),
    "C": ("clothes", "vêtements"),
    "T": ("things", "objets"),
    "B": ("furniture", "meubles"),
    "V": ("vehicles", "véhicules"),
    "L": ("places", "lieux"),
}


def _name(noun: Noun, language: int) -> str:
    return noun.fr if language else noun.en


def kinds(rng: Random, language: int) -> str:
    """Nouns of one kind, under the name of the kind; sometimes several kinds."""
    blocks = []
    for kind in rng.sample(list(KIND_NAMES), rng.randint(1, 3)):
        nouns = rng.sample(BY_KIND[kind], min(len(BY_KIND[kind]), rng.randint(3, 9)))
        names = [_name(noun, language) for noun in nouns]
        if rng.random() < 0.3:
            names.sort()
        title = KIND_NAMES[kind][language]
        if rng.random() < 0.5:
            blocks.append(f"{title}{' :' if language else ':'} {', '.join(names)}")
        else:
            blocks.append("\n".join([f"## {title}", *(f"- {name}" for name in names)]))
    return "\n".join(blocks)


def forms(rng: Random, language: int) -> str:
    """Singular and plural, or a noun with a determiner and an adjective."""
    rows = []
    arrow = rng.choice((" -> ", ", ", " / ", " = "))
    first, second = rng.choice((("the", "the"), ("a", "some"), ("my", "my")))
    for noun in rng.sample([n for n in NOUNS if not n.mass], rng.randint(4, 10)):
        one = determined(noun, first, False)
        many = determined(noun, second, True)
        pair = (one.fr, many.fr) if language else (one.en, many.en)
        rows.append(elide(arrow.join(pair)))
    if rng.random() < 0.3:
        rows = []
        for adjective in rng.sample(ADJECTIVES, 6):
            if language:
                said = [adjective.agree(g, p) for p in (False, True) for g in "mf"]
            else:
                said = [adjective.en, adjective.comparative]
            rows.append(arrow.join(said))
    return "\n".join(rows)


def conjugation(rng: Random, language: int) -> str:
    """A verb in all persons and several tenses."""
    verb = rng.choice(verbs.TRANSITIVE + verbs.INTRANSITIVE + verbs.DATIVE)
    if not language:
        parts = [verb.en, verb.past, verb.participle, english_ing(verb.en)]
        rows = [", ".join(parts)]
        for tense in rng.sample(english.TENSES, 3):
            said = []
            for pronoun in PRONOUNS:
                words = english.verb_group(verb, pronoun.en_agreement, tense)
                said.append(" ".join(w for w in (pronoun.en, *words) if w))
            rows.append(", ".join(said))
        return "\n".join(rows)
    table = paradigm(verb.infinitive)
    rows = [f"{verb.fr}, {table.participle}"]
    for tense in ("present", "imperfect", "future"):
        persons = ("je", "tu", "il", "nous", "vous", "ils")
        pairs = zip(persons, getattr(table, tense))
        rows.append(", ".join(elide(f"{who} {form}") for who, form in pairs))
    return "\n".join(elide(row) for row in rows)


def shuffled(rng: Random, language: int) -> str:
    """A list, and the same list in order, backwards, or again."""
    names = [_name(noun, language) for noun in rng.sample(NOUNS, rng.randint(3, 8))]
    label, again = rng.choice(
        (
            (("sorted", "trié"), sorted(names)),
            (("backwards", "à l'envers"), names[::-1]),
            (("again", "encore"), names),
            (("first", "premier"), names[:1]),
            (("last", "dernier"), names[-1:]),
        )
    )
    colon = " : " if language else ": "
    return f"{', '.join(names)}\n{label[language]}{colon}{', '.join(again)}"
