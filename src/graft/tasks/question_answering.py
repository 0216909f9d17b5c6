"""Question answering with short answers, with or without a context.

A question without an answer gets the answer `unanswerable`, but only if the row marks
it so. All answers are references; the first one is trained.
"""

import re
from collections.abc import Mapping
from typing import Any

from graft.data.convert.fields import Field, Unfit, check_bytes
from graft.data.convert.task import Task
from graft.field_paths import ABSENT
from graft.records import UNANSWERABLE, Message
from graft.tasks.conversions import question_and_answer

SHAPES = (
    "a text, a list of texts, or SQuAD's {text: [...]} or [{text: ...}]; for a "
    "question without an answer is_impossible: true, or an empty list"
)
FIX = "correct the row or data.fields, or remove the row"
_LIST = re.compile(r"""\[\s*(['"{].*)?\]|\{\s*(['"].*)?\}""", re.DOTALL)
"""A list or an object in JSON or Python syntax, as in a column of a CSV file."""
FLAGS: Mapping[object, bool] = {
    **{"true": True, "false": False, "1": True, "0": False},
    **{True: True, False: False},
}


def to_example(fields: Mapping[str, Any]) -> tuple[list[Message], list[str]]:
    """The user sends context and question, the assistant gives the first answer.

    Raises: Unfit if the answers, or their absence, are ambiguous.
    """
    question = [fields.get("context", ""), fields["question"]]
    answers = to_answers(fields.get("answers", ABSENT), fields.get("is_impossible"))
    return question_and_answer(question, answers[0]), answers[1:]


def to_answers(value: Any, is_impossible: Any) -> list[str]:
    """The distinct answers, at least one.

    Args:
        value: the answers in the row; ABSENT if it has no such column.
        is_impossible: SQuAD's flag for questions without an answer; None if missing.
    """
    impossible = _flag(is_impossible)
    if impossible and (value is ABSENT or value in (None, "")):
        return [UNANSWERABLE]
    if value is ABSENT:
        raise Unfit("no answers", "the row has no answers", SHAPES, FIX)
    texts = _texts(value)
    if texts and impossible:
        problem = "answers to an impossible question"
        raise Unfit(problem, value, "is_impossible: false, or no answers", FIX)
    if not texts and impossible is False:
        problem = "no answers to a possible question"
        raise Unfit(problem, value, "answers, or is_impossible: true", FIX)
    return list(dict.fromkeys(texts)) or [UNANSWERABLE]


def _flag(value: Any) -> bool | None:
    if value is None or value == "":
        return None
    key = value.strip().lower() if isinstance(value, str) else value
    if isinstance(key, str | int) and key in FLAGS:
        return FLAGS[key]
    raise Unfit("wrong type in is_impossible", value, "true, false or nothing", FIX)


def _texts(value: Any) -> list[str]:
    """The texts of answers in any of the supported formats."""
    shown = value
    if isinstance(value, Mapping):
        value = value.get("text")
        if not isinstance(value, str | list | tuple):
            raise Unfit("answers without text", shown, SHAPES, FIX)
    elif isinstance(value, str) and _LIST.fullmatch(value.strip()):
        raise Unfit("a list written as text", value, SHAPES, FIX)
    items = list(value) if isinstance(value, list | tuple) else [value]
    texts = []
    for item in items:
        text = item.get("text") if isinstance(item, Mapping) else item
        if not isinstance(text, str):
            raise Unfit("answers without text", shown, SHAPES, FIX)
        if not text.strip():
            raise Unfit("empty answer", shown, SHAPES, FIX)
        check_bytes("answers", text)
        texts.append(text)
    return texts


QUESTION_ANSWERING = Task(
    name="question_answering",
    fields={
        "question": Field(),
        "context": Field(optional=True),
        "answers": Field("any"),
        "is_impossible": Field("any", optional=True, implied=True),
    },
    to_example=to_example,
    metrics=("answer_f1", "answer_match"),
    demo_row={
        "question": "What is red?",
        "context": "The house is red.",
        "answers": ["the house", "house"],
    },
)
