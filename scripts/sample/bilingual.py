"""Bilingual pages as the web has them: word lists, phrase books, signs.

No page has the layout of the translation prompt, a test sentence or a held-out
combination.
"""

from random import Random

from . import verbs
from .adjectives import ADJECTIVES
from .documents import safe_sentence
from .nouns import NOUNS


def _entries() -> list[tuple[str, str]]:
    """Every word of the lexicon with its translation."""
    found = [(noun.en, noun.fr) for noun in NOUNS]
    found += [(adjective.en, adjective.fr) for adjective in ADJECTIVES]
    tables = verbs.TRANSITIVE + verbs.DATIVE + verbs.INTRANSITIVE + verbs.CATENATIVE
    found += [(f"to {verb.lemma}", verb.infinitive) for verb in tables]
    return list(dict.fromkeys(found))


ENTRIES = _entries()


def glossary(rng: Random) -> str:
    """A page of a dictionary, in either direction."""
    rows = rng.sample(ENTRIES, rng.randint(5, 20))
    sign = rng.choice((" = ", " – ", "\t", ", ", " · "))
    order = rng.choice((1, -1))
    return "\n".join(sign.join(row[::order]) for row in rows)


def phrase_book(rng: Random) -> str:
    """Sentences side by side or one under the other, in either order."""
    order = rng.choice((1, -1))
    layout = rng.choice(("| {} | {} |", "{} / {}", "* {}\n  {}", "{} ({})"))
    pairs = [safe_sentence(rng) for _ in range(rng.randint(2, 6))]
    return "\n".join(layout.format(*(p.en, p.fr)[::order]) for p in pairs)
