"""Instruction generation: a task is given, and answered with its steps."""

from collections.abc import Mapping
from typing import Any

from graft.data.convert.fields import Field
from graft.data.convert.task import Task
from graft.records import Message
from graft.tasks.conversions import other_references, question_and_answer


def to_example(fields: Mapping[str, Any]) -> tuple[list[Message], list[str]]:
    """The user sends the instruction and its input, the assistant answers the steps.

    Several steps become a numbered list; a single text is not changed.
    """
    question = [fields["instruction"], fields.get("input", "")]
    steps = fields["steps"]
    if len(steps) > 1:
        steps = [f"{number}. {step}" for number, step in enumerate(steps, 1)]
    messages = question_and_answer(question, "\n".join(steps))
    return messages, other_references(messages, fields)


INSTRUCTION = Task(
    name="instruction",
    fields={
        "instruction": Field(),
        "input": Field(optional=True),
        "steps": Field("texts"),
        "references": Field("texts", optional=True),
    },
    to_example=to_example,
    metrics=(
        "rouge_l",
        "rouge_1",
        "rouge_2",
        "bleu",
        "meteor",
        "exact_match",
        "step_accuracy",
        "completeness",
    ),
    demo_row={
        "instruction": "Make tea.",
        "input": "For two.",
        "steps": ["Boil the water.", "Pour it on the leaves."],
    },
)
