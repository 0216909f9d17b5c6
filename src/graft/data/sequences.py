"""Examples → token sequences with a learned mask, a table at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from graft.config import PromptConfig, TokenizeConfig
from graft.data.chunks import to_chunks
from graft.data.columns import from_lines
from graft.data.masks import (
    Ints,
    Tokens,
    find_faults,
    flatten,
    join,
    learn_last,
    to_columns,
)
from graft.data.paraphrases import paraphrase
from graft.errors import TemplateError
from graft.records import SEQUENCE_SCHEMA, Encoded, Message, Reject

SHAPE = (
    "user and assistant in turn, an answer last, and no control token in a message",
    "correct the row, or leave it out",
)


TOKENS = ("input_ids", "learned")
LINE_SCHEMA = pa.schema([f for f in SEQUENCE_SCHEMA if f.name not in TOKENS])


class Encoder(Protocol):
    """What is needed of a prompt template."""

    stop_ids: list[int]

    def refusal(self, messages: Sequence[Message]) -> str:
        """Why a conversation cannot be learned from; empty if it can."""

    def encode(self, batch: Sequence[Sequence[Message]]) -> list[Encoded]:
        """Ids and learned mask of each conversation. Raises: TemplateError."""

    def decode(self, ids: Sequence[int]) -> str:
        """Text of ids, without control tokens."""


@dataclass(frozen=True)
class Outcome:
    """What became of a table of examples.

    `lengths` are in tokens, of all that was encoded, before the limit; shape [encoded].
    `num_added` are sequences beyond one an example: paraphrases and further chunks.
    """

    sequences: pa.Table
    rejects: list[Reject]
    lengths: Ints
    num_truncated: int
    num_added: dict[str, int]


class Part(NamedTuple):
    """A sequence: what is written of it but the tokens; its ids and learned mask,
    both of shape [tokens]."""

    line: dict[str, Any]
    input_ids: Sequence[int] | npt.NDArray[np.int32]
    learned: Sequence[bool] | npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Rules:
    """What of the parameters decides the sequences."""

    tokenize: TokenizeConfig
    learn: Literal["all", "last"]
    prompt: PromptConfig


def to_sequences(examples: pa.Table, template: Encoder, rules: Rules) -> Outcome:
    """Encode examples; those that cannot be learned from become rejects.

    A sequence past the limit is dropped, or cut: without its whole answer it does not
    learn the end token, and without any of it, it is rejected; or it becomes several.
    Raises: TemplateError, naming the example, if the template cannot write it or the
        label-mask contract is broken.
    """
    lines = examples.to_pylist()
    reasons = [template.refusal(line["messages"]) for line in lines]
    rejects = [
        _reject(line, reason, *SHAPE)
        for line, reason in zip(lines, reasons, strict=True)
        if reason
    ]
    lines = [line for line, reason in zip(lines, reasons, strict=True) if not reason]
    copies = paraphrase(lines, rules.prompt)
    marked = [*((line, False) for line in lines), *((copy, True) for copy in copies)]
    lines = [line for line, _ in marked]
    tokens = flatten(_encode([line["messages"] for line in lines], template, lines))
    for row, fault in find_faults(tokens, template.stop_ids).items():
        raise _at(lines[row], fault)
    if rules.learn == "last":
        tokens = learn_last(tokens)
    limit = rules.tokenize.max_seq_len
    fits = (f"at most {limit} tokens", "raise tokenize.max_seq_len, or split it")
    found: list[Part] = []
    num_truncated = num_chunks = 0
    for row, (line, augmented) in enumerate(marked):
        parts = _fit(tokens, row, line, template, rules)
        whole = tokens.lengths[row] <= limit
        if not parts and augmented:
            copies.remove(line)
        elif not parts:
            shown = f"{tokens.lengths[row]} tokens"
            rejects.append(_reject(line, "too long", *fits, shown))
        num_chunks += max(len(parts) - 1, 0)
        num_truncated += len(parts) == 1 and not whole
        found += [p._replace(line=p.line | {"augmented": augmented}) for p in parts]
    return Outcome(
        sequences=_to_table(found),
        rejects=rejects,
        lengths=tokens.lengths,
        num_truncated=num_truncated,
        num_added={"paraphrases": len(copies), "further chunks": num_chunks},
    )


def _fit(
    tokens: Tokens, row: int, line: dict[str, Any], template: Encoder, rules: Rules
) -> list[Part]:
    """The sequences of a row: itself if it is within the limit; else what `overlong`
    makes of it, perhaps none."""
    start, end = tokens.offsets[row], tokens.offsets[row + 1]
    config = rules.tokenize
    answers = [m["content"] for m in line["messages"] if m["role"] == "assistant"]
    over = end - start > config.max_seq_len
    if over and config.overlong == "drop":
        return []
    if over and config.overlong == "chunk":
        if len(answers) > 1:
            return []
        *prompt, _ = line["messages"]
        size, overlap = config.max_seq_len, config.overlap
        chunks = to_chunks(tokens, row, size, overlap, template.decode)
        return [
            Part(
                line
                | {
                    "id": f"{line['id']}-{number}",
                    "messages": [*prompt, Message(role="assistant", content=c.text)],
                    "num_bytes": c.num_bytes,
                },
                c.encoded.input_ids,
                c.encoded.learned,
            )
            for number, c in enumerate(chunks, 1)
        ]
    end = min(end, start + config.max_seq_len)
    learned = tokens.learned[start:end]
    if not learned.any():
        return []
    said = answers if rules.learn == "all" else answers[-1:]
    num_bytes = sum(len(text.encode()) for text in said)
    line = line | {"num_bytes": num_bytes}
    return [Part(line, tokens.input_ids[start:end], learned)]


def _to_table(parts: Sequence[Part]) -> pa.Table:
    """Tokens never become Python numbers: there are hundreds in a line."""
    table = from_lines([part.line for part in parts], LINE_SCHEMA)
    columns = to_columns(
        join([part.input_ids for part in parts], [part.learned for part in parts])
    )
    for name, column in columns.items():
        table = table.append_column(SEQUENCE_SCHEMA.field(name), column)
    return table.select(SEQUENCE_SCHEMA.names)


def _encode(
    batch: list[list[Message]], template: Encoder, lines: Sequence[Mapping[str, Any]]
) -> list[Encoded]:
    """Encode all at once; only if that fails, one by one to name the example."""
    try:
        return template.encode(batch)
    except TemplateError:
        for line, conversation in zip(lines, batch, strict=True):
            try:
                template.encode([conversation])
            except TemplateError as error:
                raise _at(
                    line,
                    f"{error.where}: {error.problem}",
                    error.expected,
                    error.fix,
                ) from error
        raise


def _at(
    line: Mapping[str, Any],
    problem: str,
    expected: str = "each answer and its end-of-turn token are learned",
    fix: str = "use a template whose {% generation %} marks hold the answer and its "
    "end-of-turn token, or task.prompt.style: pattern",
) -> TemplateError:
    where = f"{line['where']} (example {line['id']})"
    return TemplateError(where, problem, expected=expected, fix=fix)


def _reject(
    line: Mapping[str, Any], reason: str, expected: str, fix: str, value: str = ""
) -> Reject:
    return Reject(
        where=line["where"],
        stage="tokenize",
        reason=reason,
        value=value or str(line["messages"])[:200],
        expected=expected,
        fix=fix,
    )
