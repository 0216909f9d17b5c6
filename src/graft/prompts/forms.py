"""The seam between a template and the forms a conversation can take."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from graft.errors import TemplateError
from graft.prompts.pools import Ints, Pool
from graft.records import Message

Messages = Sequence[Message]

Piece = tuple[str, bool]
"""A text, and whether it carries loss."""


class Segments(NamedTuple):
    """Conversations as consecutive ids of which all carry loss, or none.

    Attributes:
        pool: ids of each segment, a conversation's together.
        learned: whether a segment carries loss. Shape [segments].
        counts: segments of each conversation. Shape [conversations].
    """

    pool: Pool
    learned: npt.NDArray[np.bool_]
    counts: Ints


class Form(Protocol):
    """How a conversation is written. Learned: the answers and their end tokens, but
    those that say `learn: false`.

    `text` is all that decides the form, for the template's hash. `separator` stands
    before an answer and is no part of it. `reserved` are texts that no message may
    contain.
    """

    text: str
    separator: str
    reserved: Sequence[str]

    def segments(self, batch: Sequence[Messages]) -> Segments:
        """Segments of each conversation, the last assistant turn's as its last.

        A conversation that ends in a user turn ends in what asks for the answer: the
        same segments, less that last one. Raises: RefusedError.
        """


ANSWERS = ("assistant", "tool_calls")
"""Roles of an answer: what it says, then the calls that it makes."""


def is_asking(messages: Messages) -> bool:
    """Whether an answer is still to come."""
    return not messages or messages[-1]["role"] not in ANSWERS


def without_answer(messages: Messages) -> Messages:
    """What the last answer answers: the conversation without it."""
    for role in reversed(ANSWERS):
        if messages and messages[-1]["role"] == role:
            messages = messages[:-1]
    return messages


class RefusedError(TemplateError):
    """Conversations of a batch that a form cannot write.

    `refused`: why, by their places in the batch.
    """

    def __init__(self, refused: Mapping[int, TemplateError]) -> None:
        first = next(iter(refused.values()))
        super().__init__(
            first.where, first.problem, expected=first.expected, fix=first.fix
        )
        self.refused = refused


T = TypeVar("T")


def write_each(write: Callable[[Messages], T], batch: Sequence[Messages]) -> list[T]:
    """Each conversation, written. Raises: RefusedError if one cannot be."""
    done: list[T] = []
    refused: dict[int, TemplateError] = {}
    for number, messages in enumerate(batch):
        try:
            done.append(write(messages))
        except TemplateError as error:
            refused[number] = error
    if refused:
        raise RefusedError(refused)
    return done
