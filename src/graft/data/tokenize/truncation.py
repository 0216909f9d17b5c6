"""Truncation of sequences that exceed `max_seq_len`.

A prompt is truncated as messages, not as ids, and rendered again. So the template's
control tokens stay complete, and evaluation builds the same prompt from the messages
that are left.
"""

import re
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import NamedTuple, Protocol

from graft.config import TokenizeConfig
from graft.data.tokenize.masks import count_answers, keep_last_answer
from graft.records import Encoded, Message
from graft.records.ragged import Tokens

Fits = Callable[[Sequence[Message]], bool]

_WORD = re.compile(r"\S+")


class Encoder(Protocol):
    """The part of a prompt template that tokenization needs."""

    stop_ids: list[int]

    def refusal(self, messages: Sequence[Message]) -> str:
        """Why training cannot use a conversation; empty if it can."""

    def to_tokens(self, batch: Sequence[Sequence[Message]]) -> Tokens:
        """Ids and loss mask of each conversation. Raises: TemplateError."""

    def decode(self, ids: Sequence[int], *, start: bool = False) -> str:
        """Text of ids, without control tokens. `start`: they begin a document."""


class CutSequence(NamedTuple):
    """A truncated sequence or a chunk of one.

    `num_bytes` are the UTF-8 bytes of its text with loss; `suffix` goes after its id.
    """

    encoded: Encoded
    messages: Sequence[Message]
    num_bytes: int
    suffix: str = ""


def fit_to_limit(
    long: Encoded,
    messages: Sequence[Message],
    template: Encoder,
    config: TokenizeConfig,
) -> list[CutSequence]:
    """What `config.overlong` makes of a sequence past the limit; perhaps nothing."""
    match config.overlong:
        case "truncate":
            return _cut_right(long, messages, template, config.max_seq_len)
        case "truncate_left":
            return _cut_left(messages, template, config)
        case "chunk":
            return _chunks(long, messages, template, config)
        case _:
            return []


def _cut_right(
    long: Encoded, messages: Sequence[Message], template: Encoder, limit: int
) -> list[CutSequence]:
    """The first `limit` tokens; the last answer loses its stop token."""
    cut = Encoded(long.input_ids[:limit], long.loss_mask[:limit])
    pairs = zip(cut.input_ids, cut.loss_mask, strict=True)
    runs = [list(run) for loss, run in groupby(pairs, lambda pair: pair[1]) if loss]
    answers = [
        template.decode(
            [token for token, _ in run],
            start=not number and messages[0]["role"] == "assistant",
        )
        for number, run in enumerate(runs)
    ]
    num_bytes = sum(len(text.encode()) for text in answers)
    return [CutSequence(cut, messages, num_bytes)] if runs else []


def _cut_left(
    messages: Sequence[Message],
    template: Encoder,
    config: TokenizeConfig,
) -> list[CutSequence]:
    def fits(chat: Sequence[Message]) -> bool:
        return int(template.to_tokens([chat]).lengths[0]) <= config.max_seq_len

    left = cut_left(messages, fits)
    if left is None:
        return []
    tokens = template.to_tokens([left])
    if config.trained_answers == "last":
        tokens = keep_last_answer(tokens)
    num_answers = int(count_answers(tokens, template.stop_ids)[0])
    if not num_answers:
        return []
    answers = [
        turn["content"]
        for turn in left
        if turn["role"] == "assistant" and turn.get("learn") is not False
    ]
    num_bytes = sum(len(text.encode()) for text in answers[-num_answers:])
    return [CutSequence(tokens.row(0), left, num_bytes)]


def _chunks(
    long: Encoded,
    messages: Sequence[Message],
    template: Encoder,
    config: TokenizeConfig,
) -> list[CutSequence]:
    """Consecutive chunks in which every token carries loss exactly once; none if the
    prompt leaves no room, or there is more than one answer.

    A chunk consists of what precedes the answer, the last `overlap` tokens of the chunk
    before as context without loss, and new tokens with loss. The bytes of all chunks
    add up to those of the text, even where a chunk ends inside a character.
    """
    *prompt, last = messages
    if any(turn["role"] == "assistant" for turn in prompt):
        return []
    first = long.loss_mask.index(True)
    before, answer = long.input_ids[:first], long.input_ids[first:]
    overlap, stride = config.overlap, config.max_seq_len - first - config.overlap
    if stride < 1:
        return []
    opens = not prompt
    chunks: list[CutSequence] = []
    start = num_bytes = 0
    while start < len(answer):
        # The first chunk repeats nothing, so that it has room for more new tokens.
        end = start + stride + (0 if start else overlap)
        repeated = answer[max(start - overlap, 0) : start]
        new = answer[start:end]
        mask = [*[False] * (first + len(repeated)), *[True] * len(new)]
        text = template.decode(new, start=opens and not start)
        bytes_so_far = len(template.decode(answer[:end], start=opens).encode())
        chunks.append(
            CutSequence(
                Encoded([*before, *repeated, *new], mask),
                [*prompt, Message(role=last["role"], content=text)],
                bytes_so_far - num_bytes,
                f"-{len(chunks) + 1}",
            )
        )
        start, num_bytes = end, bytes_so_far
    return chunks


def cut_left(messages: Sequence[Message], fits: Fits) -> list[Message] | None:
    """As much of the end of a conversation as fits; None if nothing does.

    A system turn and the last answer are kept. The oldest questions are removed first,
    each with its answer; then words from the beginning of the last question; then
    characters from the beginning of its last word.

    `messages`: user and assistant in turn, perhaps after a system turn, an answer last.
    """
    first = 1 if messages and messages[0]["role"] == "system" else 0
    head, turns = list(messages[:first]), list(messages[first:])
    questions = [i for i, turn in enumerate(turns) if turn["role"] == "user"]
    if not questions or questions[-1] != len(turns) - 2:
        return None

    def from_turn(index: int) -> list[Message]:
        return [*head, *turns[index:]]

    index = _first(questions, lambda index: fits(from_turn(index)))
    if index is not None:
        return from_turn(index)
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


def _first(starts: Sequence[int], fits: Callable[[int], bool]) -> int | None:
    """The first start from which the rest fits, by bisection; None if none does."""
    if not starts or not fits(starts[-1]):
        return None
    low, high = 0, len(starts) - 1  # the last is known to fit
    while low < high:
        middle = (low + high) // 2
        if fits(starts[middle]):
            high = middle
        else:
            low = middle + 1
    return starts[high]
