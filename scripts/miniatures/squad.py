"""Contexts with their questions as SQuAD 2.0 nests them."""

from typing import Any

from .questions import LANGUAGES, Context, Question

QUESTIONS_OF_LANGUAGE = 30
_TITLES = {"en": "People", "fr": "Personnes"}


def to_squad(contexts: list[Context]) -> dict[str, Any]:
    """The first contexts of each language, one article a language."""
    return {
        "version": "v2.0",
        "data": [
            {
                "title": _TITLES[language],
                "paragraphs": [_paragraph(one) for one in _first(contexts, language)],
            }
            for language in LANGUAGES
        ],
    }


def _first(contexts: list[Context], language: str) -> list[Context]:
    chosen: list[Context] = []
    for context in contexts:
        if sum(len(one.questions) for one in chosen) >= QUESTIONS_OF_LANGUAGE:
            break
        if context.language == language:
            chosen.append(context)
    return chosen


def _paragraph(context: Context) -> dict[str, Any]:
    qas = []
    for number, question in enumerate(context.questions, 1):
        entry: dict[str, Any] = {
            "question": question.asked,
            "id": f"{context.group}-{number}",
            "answers": _spans(context.text, question, question.answers),
            "is_impossible": not question.answers,
        }
        if not question.answers:
            spans = _spans(context.text, question, question.plausible)
            entry = {"plausible_answers": spans, **entry}
        qas.append(entry)
    return {"qas": qas, "context": context.text}


def _spans(
    text: str, question: Question, answers: tuple[str, ...]
) -> list[dict[str, str | int]]:
    """Each answer with its place: characters from the context's beginning."""
    start = text.index(question.sentence)
    return [
        {"text": answer, "answer_start": start + question.sentence.index(answer)}
        for answer in answers
    ]
