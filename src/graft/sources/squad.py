"""JSON of SQuAD: articles > paragraphs > questions. A question is a row.

Source: Rajpurkar et al. 2016 (D16-1264) and 2018 (P18-2124), formats 1.1 and 2.0; FQuAD
and similar data sets have the same format.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from graft.config import DataConfig
from graft.errors import DataError
from graft.records import Reject, Row
from graft.sources.files import SourcePart, reject
from graft.sources.json_values import read_document


def read_squad(part: SourcePart, data: DataConfig) -> Iterator[Row | Reject]:
    """Rows with title, context, id, question, answers (a list of texts; other shapes
    are unchanged) and is_impossible; row n is the nth question of a file.

    A question counts as impossible only if the file marks it so; otherwise the task
    rejects a question without answers.

    The file is read into memory: the largest of them is 40 MB.
    Raises: DataError if it is not in this format.
    """
    document = read_document(part, data)
    articles = document.get("data") if isinstance(document, dict) else None
    if not isinstance(articles, list):
        raise DataError(
            part.where(),
            "has no list `data` at the top level",
            expected="JSON of SQuAD: data > paragraphs > qas",
            fix="correct data.format; one question per line is format jsonl",
        )
    number = 0
    for article in articles:
        for paragraph in _list(article, "paragraphs"):
            for question in _list(paragraph, "qas"):
                number += 1
                yield _to_row(part, number, article, paragraph, question)


def _list(value: Any, key: str) -> list[Any]:
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, list) else [None]


def _to_row(
    part: SourcePart, number: int, article: Any, paragraph: Any, question: Any
) -> Row | Reject:
    where = part.where(number)
    if not all(isinstance(v, Mapping) for v in (article, paragraph, question)):
        return reject(
            where,
            "broken SQuAD",
            question or paragraph or article,
            "data > paragraphs > qas, each a list of objects",
            "repair the entry, or remove it",
        )
    values = {
        "title": article.get("title"),
        "context": paragraph.get("context"),
        "id": question.get("id"),
        "question": question.get("question"),
        "is_impossible": question.get("is_impossible") or False,
    }
    if "answers" in question:
        values["answers"] = _texts(question["answers"])
    return Row(values, where, part.split)


def _texts(answers: Any) -> Any:
    """The texts of answers in SQuAD's format; others unchanged."""
    listed = isinstance(answers, list)
    if listed and all(isinstance(a, Mapping) and "text" in a for a in answers):
        return [answer["text"] for answer in answers]
    return answers
