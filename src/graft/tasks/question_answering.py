"""Question answering: from a context or from memory, in as few words as it takes.

A question without an answer is answered so: `unanswerable`. Several gold answers are
references; the first of them is learned.
"""

from collections.abc import Mapping
from typing import Any

from graft.data.fields import Field
from graft.records import UNANSWERABLE, Message
from graft.tasks.base import Task


def to_example(fields: Mapping[str, Any]) -> tuple[list[Message], list[str]]:
    """The user says context and question, the assistant the first answer."""
    asked = [fields.get("context", ""), fields["question"]]
    answers = list(dict.fromkeys(fields.get("answers", [UNANSWERABLE])))
    return [
        Message(role="user", content="\n\n".join(filter(None, asked))),
        Message(role="assistant", content=answers[0]),
    ], answers[1:]


QUESTION_ANSWERING = Task(
    name="question_answering",
    fields={
        "question": Field(),
        "context": Field(optional=True),
        "answers": Field("texts", optional=True),
    },
    to_example=to_example,
    metrics=("answer_f1", "answer_match"),
    demo_row={
        "question": "What is red?",
        "context": "The house is red.",
        "answers": ["the house", "house"],
    },
    forms=(("question", "answers"),),
)
