"""The seam between a template and the forms a conversation can take."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from graft.prompts.pools import Ints, Pool
from graft.records import Message

Messages = Sequence[Message]


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
    """How a conversation is written. Learned: the answers and their end tokens.

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
        same segments, less that last one. Raises: TemplateError.
        """


def is_asking(messages: Messages) -> bool:
    """Whether an answer is still to come."""
    return not messages or messages[-1]["role"] != "assistant"
