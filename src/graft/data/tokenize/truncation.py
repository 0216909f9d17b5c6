"""What becomes of a sequence past the limit.

Where the prompt is cut, its messages are, not its ids, and they are written anew. So
the frame stays whole, and the prompt is the one that evaluation builds from the
messages that are left.
"""

import re
from collections.abc import Callable, Sequence
from functools import partial
from itertools import groupby
from typing import Literal, NamedTuple, Protocol

from graft.config import TokenizeConfig
from graft.data.tokenize.chunks import to_chunks
from graft.data.tokenize.masks import Tokens, learn_last, num_answers
from graft.records import Encoded, Message

Fits = Callable[[Sequence[Message]], bool]

_WORD = re.compile(r"\S+")


class Encoder(Protocol):
    """What is needed of a prompt template."""

    stop_ids: list[int]

    def refusal(self, messages: Sequence[Message]) -> str:
        """Why a conversation cannot be learned from; empty if it can."""

    def to_tokens(self, batch: Sequence[Sequence[Message]]) -> Tokens:
        """Ids and learned mask of each conversation. Raises: TemplateError."""

    def decode(self, ids: Sequence[int], *, start: bool = False) -> str:
        """Text of ids, without control tokens. `start`: they open a document."""


class Part(NamedTuple):
    """A sequence made of a longer one: what it says, and what its id has more.

    `num_bytes` are those of the text that is learned, in UTF-8.
    """

    encoded: Encoded
    messages: Sequence[Message]
    num_bytes: int
    suffix: str = ""


def fit(
    long: Encoded,
    messages: Sequence[Message],
    template: Encoder,
    config: TokenizeConfig,
    learn: Literal["all", "last"],
) -> list[Part]:
    """The sequences that a conversation past the limit becomes, perhaps none."""
    if config.overlong == "truncate":
        return _cut_right(long, messages, template, config.max_seq_len)
    if config.overlong == "truncate_left":
        return _cut_left(messages, template, config.max_seq_len, learn)
    if config.overlong == "chunk":
        return _chunks(long, messages, template, config)
    return []


def _cut_right(
    long: Encoded, messages: Sequence[Message], template: Encoder, limit: int
) -> list[Part]:
    """Without the whole of its last answer, it does not learn to end it."""
    cut = Encoded(long.input_ids[:limit], long.learned[:limit])
    pairs = zip(cut.input_ids, cut.learned, strict=True)
    runs = [list(run) for mark, run in groupby(pairs, lambda pair: pair[1]) if mark]
    said = [
        template.decode(
            [token for token, _ in run],
            start=not number and messages[0]["role"] == "assistant",
        )
        for number, run in enumerate(runs)
    ]
    num_bytes = sum(len(text.encode()) for text in said)
    return [Part(cut, messages, num_bytes)] if runs else []


def _cut_left(
    messages: Sequence[Message],
    template: Encoder,
    limit: int,
    learn: Literal["all", "last"],
) -> list[Part]:
    def encode(chat: Sequence[Message]) -> Tokens:
        return template.to_tokens([chat])

    left = cut_left(messages, lambda chat: int(encode(chat).lengths[0]) <= limit)
    if left is None:
        return []
    tokens = encode(left)
    if learn == "last":
        tokens = learn_last(tokens)
    num_heard = int(num_answers(tokens, template.stop_ids)[0])
    if not num_heard:
        return []
    answers = [
        turn["content"]
        for turn in left
        if turn["role"] == "assistant" and turn.get("learn") is not False
    ]
    heard = answers[-num_heard:]
    num_bytes = sum(len(text.encode()) for text in heard)
    return [Part(tokens.row(0), left, num_bytes)]


def _chunks(
    long: Encoded,
    messages: Sequence[Message],
    template: Encoder,
    config: TokenizeConfig,
) -> list[Part]:
    *prompt, last = messages
    if any(turn["role"] == "assistant" for turn in prompt):
        return []
    decode = partial(template.decode, start=True) if not prompt else template.decode
    chunks = to_chunks(
        long, config.max_seq_len, config.overlap, decode, template.decode
    )
    return [
        Part(
            chunk.encoded,
            [*prompt, Message(role=last["role"], content=chunk.text)],
            chunk.num_bytes,
            f"-{number}",
        )
        for number, chunk in enumerate(chunks, 1)
    ]


def cut_left(messages: Sequence[Message], fits: Fits) -> list[Message] | None:
    """The most of a conversation that fits; None if nothing does.

    A system turn and the last answer stay. First the oldest questions go, each with its
    answer; then, of the last question, the words at its beginning; and where its last
    word alone is too long, the characters of that.

    Args:
        messages: user and assistant in turn, perhaps after a system turn, an answer
            last.
        fits: whether a conversation is within the limit.
    """
    first = 1 if messages and messages[0]["role"] == "system" else 0
    head, turns = list(messages[:first]), list(messages[first:])
    asked = [i for i, turn in enumerate(turns) if turn["role"] == "user"]
    if not asked or asked[-1] != len(turns) - 2:
        return None

    def begun(place: int) -> list[Message]:
        return [*head, *turns[place:]]

    place = _first(asked, lambda place: fits(begun(place)))
    if place is not None:
        return begun(place)
    question, answer = turns[-2:]
    text = question["content"]

    def shortened(start: int) -> list[Message]:
        return [*head, Message(role="user", content=text[start:]), answer]

    words = [word.start() for word in _WORD.finditer(text)]
    characters = range(words[-1], len(text.rstrip())) if words else range(0)
    for starts in (words, characters):
        start = _first(starts, lambda start: fits(shortened(start)))
        if start is not None:
            return shortened(start)
    return None


def _first(places: Sequence[int], fits: Callable[[int], bool]) -> int | None:
    """The first place from which the rest fits, by bisection; None if none does."""
    if not places or not fits(places[-1]):
        return None
    low, high = 0, len(places) - 1  # the last is known to fit
    while low < high:
        middle = (low + high) // 2
        if fits(places[middle]):
            high = middle
        else:
            low = middle + 1
    return places[high]
