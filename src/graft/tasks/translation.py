"""Translation: a text in one language, asked for in another."""

from collections.abc import Mapping
from typing import Any

from graft.data.fields import Field
from graft.records import Message
from graft.tasks.base import Task


def to_example(fields: Mapping[str, Any]) -> tuple[list[Message], list[str]]:
    """The user says the source, the assistant the target."""
    return [
        Message(role="user", content=fields["source"]),
        Message(role="assistant", content=fields["target"]),
    ], []


TRANSLATION = Task(
    name="translation",
    fields={"source": Field(), "target": Field()},
    to_example=to_example,
    metrics=("bleu", "chrf", "bleu_1", "bleu_2", "bleu_3", "bleu_4"),
    demo_row={"source": "The cat sleeps.", "target": "Le chat dort."},
)
