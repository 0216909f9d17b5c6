"""Plain completion: a text of the domain, learned as it stands, all tokens of it."""

from collections.abc import Mapping
from typing import Any

from graft.data.fields import Field
from graft.records import Message
from graft.tasks.base import Task


def to_example(fields: Mapping[str, Any]) -> tuple[list[Message], list[str]]:
    """The assistant says the text; nobody asks."""
    return [Message(role="assistant", content=fields["text"])], []


COMPLETION = Task(
    name="completion",
    fields={"text": Field()},
    to_example=to_example,
    metrics=("perplexity", "bits_per_byte", "distinct_1", "distinct_2", "repetition"),
    demo_row={"text": "The night was cold, and the lamp had gone out."},
)
