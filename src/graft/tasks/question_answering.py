"""Question answering: from a context or from memory, in as few words as it takes.

A question without an answer is answered so: `unanswerable`; only where the row itself
says that there is none. Several gold answers are references; the first is learned.
"""

import re
from collections.abc import Mapping
from typing import Any

from graft.data.convert.fields import Field, Unfit, check_bytes
from graft.field_paths import ABSENT
from graft.records import UNANSWERABLE, Message
from graft.tasks.base import Task

SHAPES = (
    "a text, a list of texts, or SQuAD's {text: [...]} or [{text: ...}]; no answer at "
    "all is is_impossible: true, or a list that is there and empty"
)
FIX = "correct the row or data.fields, or remove the row"
_LIST = re.compile(r"""\[\s*(['"{].*)?\]|\{\s*(['"].*)?\}""", re.DOTALL)
"""A list or an object, as JSON or Python writes it into a column of a CSV."""
FLAGS: Mapping[object, bool] = {
    **{"true": True, "false": False, "1": True, "0": False},
    **{True: True, False: False},
}


def to_example(fields: Mapping[str, Any]) -> tuple[list[Message], list[str]]:
    """The user says context and question, the assistant the first answer.

    Raises: Unfit if it is not certain what the answers are, or that there is none.
    """
    asked = [fields.get("context", ""), fields["question"]]
    answers = to_answers(fields.get("answers", ABSENT), fields.get("is_impossible"))
    return [
        Message(role="user", content="\n\n".join(filter(None, asked))),
        Message(role="assistant", content=answers[0]),
    ], answers[1:]


def to_answers(value: Any, is_impossible: Any) -> list[str]:
    """The different gold answers, at least one.

    Args:
        value: what the row has for answers; ABSENT if it has no such column.
        is_impossible: what it says of them in SQuAD's manner; None if nothing.
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
    """The texts of answers in any of the shapes that leave no doubt."""
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
