"""The interface between a template and the formats of a prompt."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from graft.errors import RefusedChatsError, TemplateError
from graft.prompts.tokenizers import Tokenizer
from graft.records import ANSWER_ROLES, Message
from graft.records.ragged import Ints, RaggedIds

Messages = Sequence[Message]

Piece = tuple[str, bool]
"""A text, and whether it carries loss."""


class LossSegments(NamedTuple):
    """Conversations as segments: consecutive ids that all carry loss, or none does.

    Attributes:
        ragged: ids of each segment, in the order of the conversations.
        has_loss: whether a segment carries loss. Shape [segments].
        counts: segments of each conversation. Shape [conversations].
    """

    ragged: RaggedIds
    has_loss: npt.NDArray[np.bool_]
    counts: Ints


class PromptFormat(Protocol):
    """How a conversation is written. The answers and their end tokens carry loss,
    except those with `learn: false`.

    `text` identifies the format in the template's hash. `separator` stands before an
    answer and is not part of it. `reserved` are texts that no message may contain.
    """

    text: str
    separator: str
    reserved: Sequence[str]

    def segments(self, batch: Sequence[Messages]) -> LossSegments:
        """Segments of each conversation; the last one is its last assistant turn.

        A conversation that ends in a user turn has the same segments without that
        last one, so it ends in the generation prompt. Raises: RefusedChatsError.
        """


def needs_answer(messages: Messages) -> bool:
    """Whether the conversation ends without an answer."""
    return not messages or messages[-1]["role"] not in ANSWER_ROLES


def without_answer(messages: Messages) -> Messages:
    """The conversation without its last answer."""
    for role in reversed(ANSWER_ROLES):
        if messages and messages[-1]["role"] == role:
            messages = messages[:-1]
    return messages


T = TypeVar("T")


def write_each(write: Callable[[Messages], T], batch: Sequence[Messages]) -> list[T]:
    """Write each conversation. Raises: RefusedChatsError if one is refused."""
    done: list[T] = []
    refused: dict[int, TemplateError] = {}
    for number, messages in enumerate(batch):
        try:
            done.append(write(messages))
        except TemplateError as error:
            refused[number] = error
    if refused:
        raise RefusedChatsError(refused)
    return done


def encode_all(
    tokenizer: Tokenizer, texts: Sequence[str], opens: npt.NDArray[np.bool_]
) -> RaggedIds:
    """Ids of each text, in order. `opens`: whether each opens a document; [texts]."""
    kinds = [np.flatnonzero(~opens), np.flatnonzero(opens)]
    parts = [
        tokenizer.encode([texts[at] for at in kind], start=bool(start))
        for start, kind in enumerate(kinds)
    ]
    return RaggedIds.join(parts).take(np.argsort(np.concatenate(kinds)))
