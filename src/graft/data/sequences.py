"""Examples → token sequences with a learned mask, a table at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from graft.data.masks import Ints, cut, find_faults, flatten, to_columns
from graft.errors import TemplateError
from graft.records import Encoded, Message, Reject

SHAPE = (
    "user and assistant in turn, an answer last, and no control token in a message",
    "correct the row, or leave it out",
)


class Encoder(Protocol):
    """What is needed of a prompt template."""

    stop_ids: list[int]

    def refusal(self, messages: Sequence[Message]) -> str:
        """Why a conversation cannot be learned from; empty if it can."""

    def encode(self, batch: Sequence[Sequence[Message]]) -> list[Encoded]:
        """Ids and learned mask of each conversation. Raises: TemplateError."""


@dataclass(frozen=True)
class Outcome:
    """What became of a table of examples.

    `lengths` are in tokens, of all that was encoded, before the limit; shape [encoded].
    """

    sequences: pa.Table
    rejects: list[Reject]
    lengths: Ints
    num_truncated: int


def to_sequences(
    examples: pa.Table,
    template: Encoder,
    max_seq_len: int,
    overlong: Literal["drop", "truncate"],
) -> Outcome:
    """Encode examples; those that cannot be learned from become rejects.

    Args:
        examples: a table of EXAMPLE_SCHEMA.
        template: the model's and task's prompt template.
        max_seq_len: tokens; longer sequences are dropped, or lose their end.
        overlong: `drop` or `truncate`. Without its whole answer a truncated sequence
            does not learn the end token; without any of it, it is rejected.
    Raises: TemplateError, naming the example, if the template cannot write it or the
        label-mask contract is broken.
    """
    messages = examples["messages"].to_pylist()
    reasons = [template.refusal(conversation) for conversation in messages]
    rejects = [
        _reject(examples, row, reason, *SHAPE)
        for row, reason in enumerate(reasons)
        if reason
    ]
    good = np.flatnonzero([not reason for reason in reasons])
    examples = examples.take(good)
    batch = [messages[row] for row in good]
    tokens = flatten(_encode(batch, template, examples))
    for row, fault in find_faults(tokens, template.stop_ids).items():
        raise _at(examples, row, fault)
    lengths = tokens.lengths
    over = lengths > max_seq_len
    if overlong == "truncate":
        tokens = cut(tokens, max_seq_len)
    lost = over & (tokens.num_learned == 0) if overlong == "truncate" else over
    fits = (f"at most {max_seq_len} tokens", "raise tokenize.max_seq_len, or split it")
    rejects += [
        _reject(examples, int(row), "too long", *fits, f"{lengths[row]} tokens")
        for row in np.flatnonzero(lost)
    ]
    for name, column in to_columns(tokens).items():
        examples = examples.append_column(name, column)
    return Outcome(
        sequences=examples.filter(pc.invert(pa.array(lost))),
        rejects=rejects,
        lengths=lengths,
        num_truncated=int(np.sum(over & ~lost)),
    )


def _encode(
    batch: list[list[Message]], template: Encoder, examples: pa.Table
) -> list[Encoded]:
    """Encode all at once; only if that fails, one by one to name the example."""
    try:
        return template.encode(batch)
    except TemplateError:
        for row, conversation in enumerate(batch):
            try:
                template.encode([conversation])
            except TemplateError as error:
                raise _at(
                    examples,
                    row,
                    f"{error.where}: {error.problem}",
                    error.expected,
                    error.fix,
                ) from error
        raise


def _at(
    examples: pa.Table,
    row: int,
    problem: str,
    expected: str = "each answer and its end-of-turn token are learned",
    fix: str = "use a template whose {% generation %} marks hold the answer and its "
    "end-of-turn token, or task.prompt.style: pattern",
) -> TemplateError:
    where = f"{examples['where'][row]} (example {examples['id'][row]})"
    return TemplateError(where, problem, expected=expected, fix=fix)


def _reject(
    examples: pa.Table, row: int, reason: str, expected: str, fix: str, value: str = ""
) -> Reject:
    return Reject(
        where=str(examples["where"][row]),
        stage="tokenize",
        reason=reason,
        value=value or str(examples["messages"][row])[:200],
        expected=expected,
        fix=fix,
    )
