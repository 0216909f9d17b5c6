"""Prompts that a client writes, encoded as the evaluation encodes its own."""

from collections.abc import Sequence

from graft.prompts import Template
from graft.records import Message


def encode_open(template: Template, turns: Sequence[Message]) -> list[int]:
    """Ids after which the model answers a conversation, or continues a document.

    Args:
        turns: a conversation that ends with the user's turn; or the beginning of a
            document, as a single turn of the assistant.
    Raises: TemplateError if the template cannot encode them.
    """
    if [turn["role"] for turn in turns] != ["assistant"]:
        return template.encode_prompt(turns)
    (document,) = template.encode([turns])
    ids = list(document.input_ids)
    while ids and ids[-1] in template.stop_ids:
        ids.pop()
    return ids
