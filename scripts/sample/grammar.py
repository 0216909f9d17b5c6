"""The grammar's one door: a random sentence of a random construction."""

from collections.abc import Callable
from random import Random

from . import complex as two_clauses
from . import nominal, simple
from .sentences import Sentence

# How often each construction is drawn, in parts.
WEIGHTS: dict[Callable[[Random], Sentence], int] = {
    simple.present: 7,
    simple.past: 7,
    simple.imperfect: 5,
    simple.future: 6,
    simple.negation: 7,
    simple.yes_no: 6,
    simple.wh_question: 6,
    simple.who_question: 1,
    simple.command: 3,
    simple.object_pronoun: 4,
    simple.dative: 4,
    simple.reflexive: 3,
    simple.motion: 3,
    nominal.description: 6,
    nominal.comparison: 4,
    nominal.possession: 4,
    nominal.number: 5,
    nominal.existential: 5,
    nominal.quantity: 3,
    nominal.passive: 4,
    two_clauses.relative: 6,
    two_clauses.infinitive: 4,
    two_clauses.modal: 3,
    two_clauses.reported: 3,
    two_clauses.cause: 4,
    two_clauses.coordination: 4,
}
_BUILDERS = tuple(WEIGHTS)
_PARTS = tuple(WEIGHTS.values())


def sentence(rng: Random) -> Sentence:
    """One sentence; the generator alone decides which."""
    return rng.choices(_BUILDERS, _PARTS)[0](rng)
