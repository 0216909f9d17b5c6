"""Examples → token sequences with a learned mask, a table at a time."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from graft.config import PromptConfig, TokenizeConfig
from graft.data.columns import from_lines
from graft.data.tokenize.chats import said_bytes, to_chats
from graft.data.tokenize.masks import (
    Ints,
    Tokens,
    find_faults,
    flatten,
    learn_last,
    num_answers,
    to_columns,
)
from graft.data.tokenize.paraphrases import paraphrase
from graft.data.tokenize.truncation import Encoder, Part, fit
from graft.errors import TemplateError
from graft.prompts.forms import ANSWERS, RefusedError
from graft.records import EXAMPLE_SCHEMA, SEQUENCE_SCHEMA, Message, Reject

__all__ = ["Encoder", "Outcome", "Rules", "to_sequences"]

Marks = npt.NDArray[np.bool_]

SHAPE = (
    "user and assistant in turn, an answer last, and no control token in a message",
    "correct the row, or leave it out",
)


@dataclass(frozen=True)
class Outcome:
    """What became of a table of examples.

    `lengths` are in tokens, of all that was encoded, before the limit; shape [encoded].
    `num_answer_tokens` are those of each example's last answer, without its end, if it
    answers somebody; shape [answers].
    `num_added` are sequences beyond one an example: paraphrases and further chunks.
    """

    num_examples: int
    sequences: pa.Table
    rejects: list[Reject]
    lengths: Ints
    num_answer_tokens: Ints
    num_truncated: int
    num_added: dict[str, int]


@dataclass(frozen=True)
class Rules:
    """What of the parameters decides the sequences."""

    tokenize: TokenizeConfig
    learn: Literal["all", "last"]
    prompt: PromptConfig


def to_sequences(examples: pa.Table, template: Encoder, rules: Rules) -> Outcome:
    """Encode examples; those that cannot be learned from become rejects.

    A sequence past the limit is dropped, cut, or becomes several, as `overlong` says;
    one that has no learned token left is rejected, and so is a conversation that the
    template refuses, with the template's own reason.
    Raises: TemplateError, naming the example, if the label-mask contract is broken.
    """
    num_examples = examples.num_rows
    chats = to_chats(examples["messages"])
    reasons = [_refusal(chat, template, rules.learn) for chat in chats]
    rejects = [
        _reject(_line(examples, row), reason, *SHAPE)
        for row, reason in enumerate(reasons)
        if reason
    ]
    if rejects:
        kept = [not reason for reason in reasons]
        examples = examples.filter(pa.array(kept))
        chats = list(compress(chats, kept))
    is_own = np.ones(len(chats), np.bool_)
    if rules.prompt.num_paraphrases:
        others = paraphrase(examples.to_pylist(), rules.prompt)
        copies = from_lines(others, EXAMPLE_SCHEMA)
        examples = pa.concat_tables([examples.cast(EXAMPLE_SCHEMA), copies])
        chats += to_chats(copies["messages"])
        is_own = np.arange(len(chats)) < len(is_own)
    tokens, refused = _encode(chats, template)
    if refused:
        rejects += [
            _reject(_line(examples, row), error.problem, error.expected, error.fix)
            for row, error in refused.items()
            if is_own[row]
        ]
        written = np.array([row not in refused for row in range(len(chats))], np.bool_)
        examples = examples.filter(pa.array(written))
        chats, is_own = list(compress(chats, written)), is_own[written]
    for row, fault in find_faults(tokens, template.stop_ids).items():
        raise _at(_line(examples, row), fault)
    if rules.learn == "last":
        tokens = learn_last(tokens)
    limit = rules.tokenize.max_seq_len
    within = tokens.lengths <= limit
    parts: list[tuple[int, Part]] = []
    num_chunks = num_lost = num_truncated = 0
    for row in np.flatnonzero(~within).tolist():
        found = fit(tokens.row(row), chats[row], template, rules.tokenize, rules.learn)
        parts += [(row, part) for part in found]
        num_chunks += max(len(found) - 1, 0)
        num_truncated += len(found) == 1
        if not found and not is_own[row]:
            num_lost += 1
        elif not found:
            shown = f"{tokens.lengths[row]} tokens"
            fix = "raise tokenize.max_seq_len, choose another overlong, or split it"
            expected = f"at most {limit} tokens"
            reject = _reject(_line(examples, row), "too long", expected, fix, shown)
            rejects.append(reject)
    augmented = ~is_own
    num_bytes = said_bytes(examples["messages"], num_answers(tokens, template.stop_ids))
    sequences = _to_table(examples, tokens, num_bytes, augmented)
    if not within.all():
        cut = _cut_table(examples, parts, augmented)
        rows = np.concatenate([np.flatnonzero(within), [row for row, _ in parts]])
        both = pa.concat_tables([sequences.filter(pa.array(within)), cut])
        sequences = both.take(np.argsort(rows, kind="stable"))
    return Outcome(
        num_examples=num_examples,
        sequences=sequences,
        rejects=rejects,
        lengths=tokens.lengths,
        num_answer_tokens=_answer_tokens(tokens, template)[is_own & _asked(chats)],
        num_truncated=num_truncated,
        num_added={
            "paraphrases": int(augmented.sum()) - num_lost,
            "further chunks": num_chunks,
        },
    )


def _answer_tokens(tokens: Tokens, template: Encoder) -> Ints:
    """Tokens of the last answer that each chat learns, without its end."""
    last = learn_last(tokens)
    return last.sum(last.learned & ~np.isin(last.input_ids, list(template.stop_ids)))


def _asked(chats: Sequence[Sequence[Message]]) -> Marks:
    """Whether somebody asks in a chat. Shape [chats]."""
    found = [any(turn["role"] == "user" for turn in chat) for chat in chats]
    return np.array(found, np.bool_)


def _to_table(
    examples: pa.Table, tokens: Tokens, num_bytes: Ints, augmented: Marks
) -> pa.Table:
    """Tokens never become Python numbers: there are hundreds in a line."""
    columns = {
        **{name: examples[name] for name in EXAMPLE_SCHEMA.names},
        **to_columns(tokens),
        "num_bytes": pa.array(num_bytes),
        "augmented": pa.array(augmented),
    }
    return pa.table([columns[n] for n in SEQUENCE_SCHEMA.names], SEQUENCE_SCHEMA)


def _cut_table(
    examples: pa.Table, parts: Sequence[tuple[int, Part]], augmented: Marks
) -> pa.Table:
    """Sequences that are parts of examples: with ids and messages of their own."""
    lines = [
        {
            **_line(examples, row),
            "id": f"{_line(examples, row)['id']}{part.suffix}",
            "messages": part.messages,
        }
        for row, part in parts
    ]
    tokens = flatten([part.encoded for _, part in parts])
    num_bytes = np.array([part.num_bytes for _, part in parts], np.int64)
    rows = np.array([row for row, _ in parts], np.int64)
    return _to_table(
        from_lines(lines, EXAMPLE_SCHEMA), tokens, num_bytes, augmented[rows]
    )


def _refusal(
    chat: Sequence[Message], template: Encoder, learn: Literal["all", "last"]
) -> str:
    """Why a conversation cannot be learned from; empty if it can."""
    answers = [message for message in chat if message["role"] in ANSWERS]
    wanted = answers[-1:] if learn == "last" else answers
    if wanted and all(message.get("learn") is False for message in wanted):
        return "no answer is to be learned"
    return template.refusal(chat)


def _encode(
    chats: list[list[Message]], template: Encoder
) -> tuple[Tokens, Mapping[int, TemplateError]]:
    """Tokens of the conversations that the template writes; why it refuses others."""
    try:
        return template.to_tokens(chats), {}
    except RefusedError as error:
        refused = error.refused
    left = [chat for row, chat in enumerate(chats) if row not in refused]
    return template.to_tokens(left), refused


def _line(examples: pa.Table, row: int) -> dict[str, Any]:
    """A row as Python values; only for those that need it."""
    line: dict[str, Any] = examples.slice(row, 1).to_pylist()[0]
    return line


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
        id=line["id"],
        row=json.dumps(line, ensure_ascii=False),
    )
