"""A table of examples → a table of token sequences with a loss mask."""

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
from graft.data.tokenize.chats import count_answer_bytes, to_chats
from graft.data.tokenize.masks import (
    count_answers,
    find_mask_errors,
    flatten,
    keep_last_answer,
    to_columns,
)
from graft.data.tokenize.paraphrases import paraphrase
from graft.data.tokenize.truncation import CutSequence, Encoder, fit_to_limit
from graft.errors import RefusedChatsError, TemplateError
from graft.records import ANSWER_ROLES, EXAMPLE_SCHEMA, SEQUENCE_SCHEMA, Message, Reject
from graft.records.ragged import Ints, Tokens

Bools = npt.NDArray[np.bool_]

EXPECTED_CHAT = (
    "user and assistant in turn, an answer last, and no control token in a message",
    "correct the row, or leave it out",
)


@dataclass(frozen=True)
class TokenizedTable:
    """The sequences and rejects of a table of examples.

    Attributes:
        lengths: tokens of each encoded chat, before the limit. Shape [encoded].
        num_added: sequences beyond one per example: paraphrases and further chunks.
    """

    num_examples: int
    sequences: pa.Table
    rejects: list[Reject]
    lengths: Ints
    num_truncated: int
    num_added: dict[str, int]


@dataclass(frozen=True)
class SequenceSettings:
    """The parameters on which the sequences depend."""

    tokenize: TokenizeConfig
    prompt: PromptConfig


def to_sequences(
    examples: pa.Table, template: Encoder, settings: SequenceSettings
) -> TokenizedTable:
    """Encode examples; those that training cannot use become rejects.

    A sequence past the limit is dropped, truncated or divided, as `overlong` specifies.
    It is rejected if no token with loss is left. A conversation that the template
    refuses is rejected with the template's reason.
    Raises: TemplateError, naming the example, if a loss mask is wrong.
    """
    num_examples = examples.num_rows
    chats = to_chats(examples["messages"])
    trained = settings.tokenize.trained_answers
    reasons = [_refusal(chat, template, trained) for chat in chats]
    rejects = [
        _reject(_to_dict(examples, row), reason, *EXPECTED_CHAT)
        for row, reason in enumerate(reasons)
        if reason
    ]
    if rejects:
        kept = [not reason for reason in reasons]
        examples = examples.filter(pa.array(kept))
        chats = list(compress(chats, kept))
    is_original = np.ones(len(chats), np.bool_)
    if settings.prompt.num_paraphrases:
        paraphrases = paraphrase(examples.to_pylist(), settings.prompt)
        copies = from_lines(paraphrases, EXAMPLE_SCHEMA)
        examples = pa.concat_tables([examples.cast(EXAMPLE_SCHEMA), copies])
        chats += to_chats(copies["messages"])
        is_original = np.arange(len(chats)) < len(is_original)
    tokens, refused = _encode(chats, template)
    if refused:
        rejects += [
            _reject(_to_dict(examples, row), error.problem, error.expected, error.fix)
            for row, error in refused.items()
            if is_original[row]
        ]
        encoded = np.array([row not in refused for row in range(len(chats))], np.bool_)
        examples = examples.filter(pa.array(encoded))
        chats, is_original = list(compress(chats, encoded)), is_original[encoded]
    for row, problem in find_mask_errors(tokens, template.stop_ids).items():
        line = _to_dict(examples, row)
        raise TemplateError(
            f"{line['where']} (example {line['id']})",
            problem,
            expected="each answer and its end-of-turn token carry loss",
            fix="use a template whose {% generation %} marks hold the answer and its "
            "end-of-turn token, or prompt.style: pattern",
        )
    if trained == "last":
        tokens = keep_last_answer(tokens)
    limit = settings.tokenize.max_seq_len
    fits = tokens.lengths <= limit
    cuts: list[tuple[int, CutSequence]] = []
    num_chunks = num_lost = num_truncated = 0
    for row in np.flatnonzero(~fits).tolist():
        found = fit_to_limit(tokens.row(row), chats[row], template, settings.tokenize)
        cuts += [(row, cut) for cut in found]
        num_chunks += max(len(found) - 1, 0)
        num_truncated += len(found) == 1
        if not found and not is_original[row]:
            num_lost += 1
        elif not found:
            rejects.append(
                _reject(
                    _to_dict(examples, row),
                    "too long",
                    expected=f"at most {limit} tokens",
                    fix="raise tokenize.max_seq_len, set another overlong, or split it",
                    value=f"{tokens.lengths[row]} tokens",
                )
            )
    augmented = ~is_original
    num_answers = count_answers(tokens, template.stop_ids)
    num_bytes = count_answer_bytes(examples["messages"], num_answers)
    sequences = _to_table(examples, tokens, num_bytes, augmented)
    if not fits.all():
        cut_rows = _cut_table(examples, cuts, augmented)
        rows = np.concatenate([np.flatnonzero(fits), [row for row, _ in cuts]])
        both = pa.concat_tables([sequences.filter(pa.array(fits)), cut_rows])
        sequences = both.take(np.argsort(rows, kind="stable"))
    return TokenizedTable(
        num_examples=num_examples,
        sequences=sequences,
        rejects=rejects,
        lengths=tokens.lengths,
        num_truncated=num_truncated,
        num_added={
            "paraphrases": int(augmented.sum()) - num_lost,
            "further chunks": num_chunks,
        },
    )


def _to_table(
    examples: pa.Table, tokens: Tokens, num_bytes: Ints, augmented: Bools
) -> pa.Table:
    """Tokens stay in arrays: a row has hundreds, too many for Python numbers."""
    columns = {
        **{name: examples[name] for name in EXAMPLE_SCHEMA.names},
        **to_columns(tokens),
        "num_bytes": pa.array(num_bytes),
        "augmented": pa.array(augmented),
    }
    return pa.table([columns[n] for n in SEQUENCE_SCHEMA.names], SEQUENCE_SCHEMA)


def _cut_table(
    examples: pa.Table, cuts: Sequence[tuple[int, CutSequence]], augmented: Bools
) -> pa.Table:
    """Truncated sequences and chunks, with ids and messages of their own."""
    lines = [
        {
            **_to_dict(examples, row),
            "id": f"{_to_dict(examples, row)['id']}{cut.suffix}",
            "messages": cut.messages,
        }
        for row, cut in cuts
    ]
    tokens = flatten([cut.encoded for _, cut in cuts])
    num_bytes = np.array([cut.num_bytes for _, cut in cuts], np.int64)
    rows = np.array([row for row, _ in cuts], np.int64)
    return _to_table(
        from_lines(lines, EXAMPLE_SCHEMA), tokens, num_bytes, augmented[rows]
    )


def _refusal(
    chat: Sequence[Message], template: Encoder, trained: Literal["all", "last"]
) -> str:
    """Why training cannot use a conversation; empty if it can."""
    answers = [message for message in chat if message["role"] in ANSWER_ROLES]
    targets = answers[-1:] if trained == "last" else answers
    if targets and all(message.get("learn") is False for message in targets):
        return "no answer carries loss"
    return template.refusal(chat)


def _encode(
    chats: list[list[Message]], template: Encoder
) -> tuple[Tokens, Mapping[int, TemplateError]]:
    """Tokens of the conversations that the template accepts; row → error of others."""
    try:
        return template.to_tokens(chats), {}
    except RefusedChatsError as error:
        refused = error.refused
    accepted = [chat for row, chat in enumerate(chats) if row not in refused]
    return template.to_tokens(accepted), refused


def _to_dict(examples: pa.Table, row: int) -> dict[str, Any]:
    """One row as Python values."""
    line: dict[str, Any] = examples.slice(row, 1).to_pylist()[0]
    return line


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
