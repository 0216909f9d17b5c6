"""Schemas between the stages, and the small frozen types that pass through them."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NotRequired, TypedDict

import pyarrow as pa

from graft.field_paths import to_steps, walk

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
        return walk(self.values, to_steps(path))


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
