"""Questions on short contexts, in English and in French; some have no answer there."""

from dataclasses import dataclass
from random import Random
from typing import Any

from sample.french import elide
from sample.phrases import NAMES

from .relations import RELATIONS, WEIGHTS, Fact, Relation

ROWS_OF_LANGUAGE = 1_700
UNANSWERABLE = 0.075  # of the draws; about 10 % of the rows, since none repeats
LANGUAGES = ("en", "fr")
_NAMES = tuple(name.en for name in NAMES)


@dataclass(frozen=True)
class Question:
    """A question on a context.

    Args:
        answers: as they stand in `sentence`; none if the context does not tell.
        plausible: where there is no answer, what one might take for it.
        sentence: where the answer, or the plausible one, stands.
    """

    asked: str
    answers: tuple[str, ...]
    plausible: tuple[str, ...]
    sentence: str


@dataclass(frozen=True)
class Context:
    """A few facts, and questions on them."""

    group: str
    language: str
    text: str
    questions: tuple[Question, ...]


def contexts(rng: Random) -> list[Context]:
    """Contexts of both languages in random order; no text stands twice."""
    found: list[Context] = []
    seen: set[str] = set()
    for language in LANGUAGES:
        count = number = 0
        while count < ROWS_OF_LANGUAGE:
            made = _context(rng, language, f"{language}-{number + 1:04d}")
            if made.text not in seen:
                seen.add(made.text)
                found.append(made)
                number, count = number + 1, count + len(made.questions)
    rng.shuffle(found)
    return found


def to_rows(found: list[Context]) -> list[dict[str, Any]]:
    """One row for each question."""
    return [
        {
            "context": context.text,
            "question": question.asked,
            "answers": list(question.answers),
            "language": context.language,
            "group": context.group,
        }
        for context in found
        for question in context.questions
    ]


def _context(rng: Random, language: str, group: str) -> Context:
    facts = _facts(rng, language == "fr")
    wanted = rng.randint(2, 4)
    asked: dict[str, Question] = {}
    while len(asked) < wanted:
        if rng.random() < UNANSWERABLE:
            question = _without_answer(rng, facts, language == "fr")
        else:
            question = _with_answer(rng, rng.choice(facts))
        asked.setdefault(question.asked, question)
    text = " ".join(fact.sentence for fact in facts)
    return Context(group, language, text, tuple(asked.values()))


def _facts(rng: Random, french: bool) -> list[Fact]:
    """Facts that are told apart: no word of one in another, one of a kind a person."""
    count = rng.randint(2, 4)
    names = rng.sample(_NAMES, rng.randint(2, 3))
    facts: list[Fact] = []
    relation: Relation | None = None
    while len(facts) < count:
        # Half of the time the fact is of the kind of the one before: to find it, one
        # must look at the person too.
        if relation is None or rng.random() < 0.5:
            [relation] = rng.choices(RELATIONS, WEIGHTS)
        new = relation(rng, rng.choice(names), french)
        fits = all(
            (old.name, old.key) != (new.name, new.key) and not old.words & new.words
            for old in facts
        )
        if fits:
            facts.append(new)
    return facts


def _with_answer(rng: Random, fact: Fact) -> Question:
    if rng.random() < 0.3:
        return Question(fact.who, (fact.name,), (), fact.sentence)
    asked = elide(fact.ask.format(fact.name))
    return Question(asked, fact.answers, (), fact.sentence)


def _without_answer(rng: Random, facts: list[Fact], french: bool) -> Question:
    """Asks for a person of whom it is not told, or for something nobody has or does."""
    fact = rng.choice(facts)
    if rng.random() < 0.3:
        known = frozenset().union(*(one.words for one in facts))
        [relation] = rng.choices(RELATIONS, WEIGHTS)
        other = relation(rng, fact.name, french)
        while other.words & known:
            other = relation(rng, fact.name, french)
        return Question(other.who, (), (fact.name,), fact.sentence)
    told = {one.name for one in facts if one.key == fact.key}
    near = sorted({one.name for one in facts} - told)
    strangers = [name for name in _NAMES if name not in told]
    name = rng.choice(near if near and rng.random() < 0.6 else strangers)
    return Question(elide(fact.ask.format(name)), (), fact.answers[:1], fact.sentence)
