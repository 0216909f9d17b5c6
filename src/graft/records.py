"""Schemas between the stages, and the small frozen types that pass through them."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal, NotRequired, TypedDict

import pyarrow as pa

Role = Literal["system", "user", "assistant", "tools", "tool_calls", "tool"]
"""Who speaks. Of chats with tools: `tools` are the definitions offered, as JSON;
`tool_calls` are the assistant's calls, as JSON, and with the assistant's text before
them one answer; `tool` is the result of one call."""
PLAIN_ROLES = frozenset({"system", "user", "assistant"})
_CALLED = "(?:(?:assistant )?tool_calls(?: tool)+ )*"
ORDER = (
    rf"^(?:tools )?(?:system )?(?:user )?(?:{_CALLED}assistant user )*"
    rf"{_CALLED}(?:assistant|(?:assistant )?tool_calls)$"
)
"""The roles of a conversation, joined by spaces: user and assistant in turn, an answer
last; an answer may call tools and go on after their results."""
ORDER_SHOWN = (
    "perhaps tools and a system turn, then user and assistant in turn, tool results "
    "only after tool calls, the assistant last"
)
UNANSWERABLE = "unanswerable"
"""What is answered where a text does not tell; the same as no answer at all."""

SPLITS = ("train", "validation", "test")


class Message(TypedDict):
    """One turn of a conversation. An answer whose `learn` is false is read, and
    carries no loss; others carry it."""

    role: Role
    content: str
    learn: NotRequired[bool | None]


MESSAGES = pa.list_(
    pa.struct([("role", pa.string()), ("content", pa.string()), ("learn", pa.bool_())])
)

EXAMPLE_SCHEMA = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("messages", MESSAGES, nullable=False),
        pa.field("references", pa.list_(pa.string()), nullable=False),
        pa.field("group", pa.string(), nullable=False),
        pa.field("stratum", pa.string(), nullable=False),
        pa.field("split", pa.string()),
        pa.field("where", pa.string(), nullable=False),
    ]
)
"""A conversation. `group` keeps examples together in a split, `split` is the official
one or null, `where` is file:row of the source."""

SEQUENCE_SCHEMA = pa.schema(
    [
        *EXAMPLE_SCHEMA,
        pa.field("input_ids", pa.list_(pa.int32()), nullable=False),
        pa.field("learned", pa.list_(pa.bool_()), nullable=False),
        pa.field("num_bytes", pa.int64(), nullable=False),
        pa.field("augmented", pa.bool_(), nullable=False),
    ]
)
"""An example and its tokens. `learned` marks the tokens that carry loss: the
assistant's text and its end-of-turn token. Both lists have one entry a token; the
text that is learned has `num_bytes` in UTF-8.
`augmented` marks a paraphrase of another example, which only training may see."""

REJECT_SCHEMA = pa.schema(
    [
        pa.field(name, pa.string(), nullable=False)
        for name in "where stage reason value expected fix id row".split()
    ]
)
"""A row or an example that a stage put aside, and why. `row` is all of it, as JSON;
`id` is the example's, or for a row that became none a digest of it."""

HISTORY = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))

PREDICTION_SCHEMA = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("stratum", pa.string(), nullable=False),
        pa.field("prompt", pa.string(), nullable=False),
        pa.field("references", pa.list_(pa.string()), nullable=False),
        pa.field("base", pa.string(), nullable=False),
        pa.field("tuned", pa.string(), nullable=False),
        pa.field("base_nll", pa.float64()),
        pa.field("tuned_nll", pa.float64()),
        pa.field("num_tokens", pa.int64()),
        pa.field("num_bytes", pa.int64()),
        pa.field("group", pa.string(), nullable=False),
        pa.field("history", HISTORY, nullable=False),
    ]
)
"""What the base and the tuned model say to the same prompt. The first reference is
the gold answer of the conversation itself; `*_nll` is each model's negative
log-likelihood of it, in nats, over `num_tokens` tokens of `num_bytes` bytes; null if
no metric asked for it. `history` are the turns before the prompt; examples of one
`group` belong together."""


ABSENT = object()
"""What a row answers for a column that it has not; null is a value."""


@dataclass(frozen=True)
class Row:
    """A raw row of a source: its values by column name, and where it came from.

    `num_rows` is how many rows of the file it was joined from.
    """

    values: dict[str, Any]
    where: str
    split: str | None = None
    num_rows: int = 1

    def get(self, path: str) -> Any:
        """The value of a column, or of a place in it as in `translation.en`.

        `instances[0].output` is that of the first of a list, `instances[*].output` a
        list of all, with `ABSENT` where one has none. A column whose very name is the
        path goes first. `ABSENT` if there is none.
        """
        if path in self.values:
            return self.values[path]
        return _walk(self.values, _steps(path))


_STEP = re.compile(r"\.?([^.\[\]]+|\[[^\[\]]*[^\W\d][^\[\]]*\])|\[(\d+|\*)\]")
_BRACKETS = re.compile(r"\[([^\[\]]*)\]")
EACH = "[*]"
"""In a path: all of a list."""


@cache
def _steps(path: str) -> tuple[str | int | None, ...]:
    """Names and indices of a path; None is each of a list."""
    if "[" not in path:
        return tuple(path.split("."))
    return tuple(
        name or (None if index == "*" else int(index))
        for name, index in _STEP.findall(path)
    )


def _walk(found: Any, steps: Sequence[str | int | None]) -> Any:
    for at, step in enumerate(steps):
        if step is None:
            rest = steps[at + 1 :]
            if not isinstance(found, list | tuple):
                return ABSENT
            each = [_walk(item, rest) for item in found]
            if None not in rest:
                return each
            return [
                x for part in each for x in (part if part is not ABSENT else [part])
            ]
        there = (
            isinstance(found, list | tuple) and step < len(found)
            if isinstance(step, int)
            else isinstance(found, dict) and step in found
        )
        if not there:
            return ABSENT
        found = found[step]
    return found


def path_fault(path: str) -> str:
    """What is wrong with a path into a list; empty if nothing.

    Brackets around a word, as in a column `price [EUR]`, are part of its name.
    """
    if path.count("[") != path.count("]"):
        return "a bracket is not closed"
    for inside in _BRACKETS.findall(path):
        if not re.fullmatch(r"\d+|\*|.*[^\W\d].*", inside):
            return f"[{inside}] is no index; write [0] for the first, or {EACH} for all"
    if path.startswith("[") or re.search(r"\[(?:\d+|\*)\][^.\[]", path):
        return "an index stands behind a name, and before a dot or the end"
    return ""


@dataclass(frozen=True)
class Reject:
    """A row or example put aside; one line of `REJECT_SCHEMA`."""

    where: str
    stage: str
    reason: str
    value: str
    expected: str
    fix: str
    id: str = ""
    row: str = ""


def shorten(value: object, limit: int = 120) -> str:
    """A value as one line of at most `limit` characters, for a reject or a message."""
    text = " ".join(str(value).encode("utf-8", "backslashreplace").decode().split())
    return text if len(text) <= limit else text[: limit - 1] + "…"


def show_path(path: Path | str) -> str:
    """A path as one line of valid text: bytes that are none and line ends escaped."""
    text = os.fsencode(path).decode("utf-8", "backslashreplace")
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode() for c in text
    )


@dataclass(frozen=True)
class Encoded:
    """Tokens of one conversation. Both lists have shape [tokens]."""

    input_ids: list[int]
    learned: list[bool]


@dataclass(frozen=True)
class Score:
    """A metric's value with its bootstrap interval.

    `signature` is what the metric's library says about how it was computed.
    """

    value: float
    low: float
    high: float
    signature: str = ""
    extra: dict[str, float] = field(default_factory=dict)
