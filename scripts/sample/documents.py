"""Text for the tiny base model: documents in one language, of many kinds.

Nothing here is a translation, and no sentence has a held-out combination, so the test
set cannot occur. Kinds: stories, sentences rewritten in another tense, lists, forms of
words, records with questions, look-ups, arithmetic, conversations.
"""

from collections.abc import Callable
from dataclasses import replace
from random import Random

from . import facts, wordlists
from .clauses import Clause
from .grammar import sentence
from .heldout import any_held_out
from .sentences import Sentence, pick_clause, question, statement

EN, FR = 0, 1
Document = Callable[[Random, int], str]

_TENSES = {
    "now": ("present", ("Now", "Maintenant")),
    "past": ("past", ("Yesterday", "Hier")),
    "future": ("future", ("Tomorrow", "Demain")),
    "near": ("near", ("Soon", "Bientôt")),
    "can": ("can", ("Can", "Pouvoir")),
}
_LABELS = {
    "not": ("Negative", "Négation"),
    "never": ("Never", "Jamais"),
    "question": ("Question", "Question"),
    "copy": ("Again", "Encore"),
} | {name: labels for name, (_, labels) in _TENSES.items()}


def side(made: Sentence, language: int) -> str:
    """One side of a sentence."""
    return made.fr if language else made.en


def safe_sentence(rng: Random) -> Sentence:
    """A sentence that the held-out rule leaves to train."""
    made = sentence(rng)
    while any_held_out(made.pairs):
        made = sentence(rng)
    return made


def _sentences(rng: Random, language: int, low: int, high: int) -> list[str]:
    count = rng.randint(low, high)
    return [side(safe_sentence(rng), language) for _ in range(count)]


def story(rng: Random, language: int) -> str:
    """Paragraphs, sometimes with a heading."""
    parts = []
    for _ in range(rng.randint(1, 3)):
        if rng.random() < 0.25:
            parts.append("# " + side(safe_sentence(rng), language).rstrip(" .?!"))
        parts.append(" ".join(_sentences(rng, language, 2, 8)))
    return "\n\n".join(parts)


def lines(rng: Random, language: int) -> str:
    """One sentence a line: plain, with dashes, or numbered."""
    found = _sentences(rng, language, 3, 12)
    style = rng.choice(("", "- ", "* ", "n"))
    if style == "n":
        return "\n".join(f"{i}. {text}" for i, text in enumerate(found, 1))
    return "\n".join(style + text for text in found)


def _variants(rng: Random, language: int, names: list[str]) -> list[str]:
    """The same clause said in several ways."""
    clause = pick_clause(rng, ("present",), extras=0.2)
    shy = "question" in names  # nobody asks "do I eat?"
    while (
        clause.mark[0]
        or any_held_out(clause.pairs)
        or (shy and clause.subject.en == "I")
    ):
        clause = pick_clause(rng, ("present",), extras=0.2)
    return [side(_said(clause, name), language) for name in names]


def _said(clause: Clause, name: str) -> Sentence:
    if name in ("not", "never"):
        return statement(replace(clause, mark=(name, name)), "")
    if name == "question":
        return question(clause, "")
    tense = _TENSES[name][0] if name in _TENSES else "present"
    return statement(replace(clause, tense=tense), "")


def rewriting(rng: Random, language: int) -> str:
    """Sentences and what becomes of them: the layout says what is wanted."""
    names = rng.sample(list(_LABELS), rng.choice((2, 2, 2, 3)))
    if rng.random() < 0.3:
        names[1] = names[0]
    labels = [_LABELS[name][language] for name in names]
    colon = " : " if language else ": "
    layout = rng.choice(("label", "label", "arrow", "table", "next", "quote"))
    blocks = []
    for _ in range(rng.randint(2, 6)):
        texts = _variants(rng, language, names)
        if layout == "label":
            rows = (f"{a}{colon}{b}" for a, b in zip(labels, texts))
            blocks.append("\n".join(rows) + "\n")
        elif layout == "arrow":
            blocks.append(" -> ".join(texts))
        elif layout == "table":
            blocks.append("| " + " | ".join(texts) + " |")
        elif layout == "quote":
            blocks.append("\n".join(f'> "{text}"' for text in texts) + "\n")
        else:
            blocks.append("\n".join(texts) + "\n")
    return "\n".join(blocks).rstrip("\n")


def repetition(rng: Random, language: int) -> str:
    """A passage, and the same passage again, whole or from its middle."""
    found = _sentences(rng, language, 2, 6)
    again = found[rng.randint(0, 1) :] if rng.random() < 0.7 else found[::-1]
    glue = rng.choice((" ", "\n"))
    mark = rng.choice(("\n---\n", "\n\n", " ... ", "\n=\n"))
    return glue.join(found) + mark + glue.join(again)


# How often each kind is drawn, in parts.
WEIGHTS: dict[Document, int] = {
    story: 24,
    lines: 10,
    rewriting: 26,
    repetition: 8,
    wordlists.kinds: 4,
    wordlists.forms: 7,
    wordlists.conjugation: 3,
    wordlists.shuffled: 4,
    facts.record: 6,
    facts.lookup: 4,
    facts.arithmetic: 3,
    facts.conversation: 4,
}
_BUILDERS = tuple(WEIGHTS)
_PARTS = tuple(WEIGHTS.values())


def document(rng: Random) -> str:
    """One document, in English or in French."""
    return rng.choices(_BUILDERS, _PARTS)[0](rng, rng.choice((EN, FR)))
