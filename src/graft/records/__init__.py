"""Schemas of the tables between stages, and small types that all rooms share."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NotRequired, TypedDict

import pyarrow as pa

from graft.field_paths import to_steps, walk

Role = Literal["system", "user", "assistant", "tools", "tool_calls", "tool"]
"""The role of a turn. In chats with tools, `tools` are the definitions, as JSON;
`tool_calls` are the assistant's calls, as JSON, which form one answer with the
assistant's text before them; `tool` is the result of one call."""
PLAIN_ROLES = frozenset({"system", "user", "assistant"})
ANSWER_ROLES: tuple[Role, ...] = ("assistant", "tool_calls")
"""Roles of an answer: its text, then its tool calls."""
_CALLED = "(?:(?:assistant )?tool_calls(?: tool)+ )*"
ORDER = (
    rf"^(?:tools )?(?:system )?(?:user )?(?:{_CALLED}assistant user )*"
    rf"{_CALLED}(?:assistant|(?:assistant )?tool_calls)$"
)
"""Matches the roles of a conversation, joined by spaces: user and assistant in turn, an
answer last; an answer may call tools and continue after their results."""
ORDER_SHOWN = (
    "perhaps tools and a system turn, then user and assistant in turn, tool results "
    "only after tool calls, the assistant last"
)
THINK_START, THINK_END = "<think>", "</think>"
"""The reasoning of an answer stands between them."""
UNANSWERABLE = "unanswerable"
"""The answer to a question that a text does not answer."""

SPLITS = ("train", "validation", "test")


class Message(TypedDict):
    """One turn of a conversation. An answer carries loss unless its `learn` is
    false."""

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
        pa.field("loss_mask", pa.list_(pa.bool_()), nullable=False),
        pa.field("num_bytes", pa.int64(), nullable=False),
        pa.field("augmented", pa.bool_(), nullable=False),
    ]
)
"""An example and its tokens. `loss_mask` is true for the assistant's text and its
end-of-turn token. Both lists have one entry per token; the text with loss has
`num_bytes` in UTF-8. `augmented` marks a paraphrase of another example, for training
only."""

REJECT_SCHEMA = pa.schema(
    pa.field(name, pa.string(), nullable=False)
    for name in "where stage reason value expected fix id row".split()
)
"""A row or an example that a stage rejected, and why. `row` is its whole content, as
JSON; `id` is that of the example, or a digest of the row."""

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
"""Completions of the base and the tuned model for the same prompt. The first reference
is the answer of the conversation itself; `*_nll` is each model's negative
log-likelihood of it, in nats, over `num_tokens` tokens of `num_bytes` bytes; null if no
metric needs it. `history` are the turns before the prompt; examples of one `group`
belong together."""


@dataclass(frozen=True)
class Row:
    """A raw row of a source: its values by column name, and its place, `file:row`.

    `num_rows` is the number of rows of the file that were joined into it.
    """

    values: dict[str, Any]
    where: str
    split: str | None = None
    num_rows: int = 1

    def get(self, path: str) -> Any:
        """The value of a column, or at a path in it such as `translation.en`; `ABSENT`
        if there is none.

        `instances[0].output` is that of the first item of a list, `instances[*].output`
        a list of all, with `ABSENT` for items without it. A column whose name equals
        the path takes precedence.
        """
        if path in self.values:
            return self.values[path]
        return walk(self.values, to_steps(path))


@dataclass(frozen=True)
class Reject:
    """A rejected row or example; one line of `REJECT_SCHEMA`."""

    where: str
    stage: str
    reason: str
    value: str
    expected: str
    fix: str
    id: str = ""
    row: str = ""


@dataclass(frozen=True)
class Prediction:
    """A row of `PREDICTION_SCHEMA`. Examples of one `group` are resampled together; an
    empty group is a group of its own."""

    id: str
    stratum: str
    prompt: str
    references: list[str]
    base: str
    tuned: str
    base_nll: float | None = None
    tuned_nll: float | None = None
    num_tokens: int | None = None
    num_bytes: int | None = None
    group: str = ""
    history: list[dict[str, str]] = field(default_factory=list)


def shorten(value: object, limit: int = 120) -> str:
    """A value as one line of at most `limit` characters, for a reject or a message."""
    text = " ".join(str(value).encode("utf-8", "backslashreplace").decode().split())
    return text if len(text) <= limit else text[: limit - 1] + "…"


def show_path(path: Path | str) -> str:
    """A path as one line of valid text; invalid bytes and line ends are escaped."""
    text = os.fsencode(path).decode("utf-8", "backslashreplace")
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode() for c in text
    )


@dataclass(frozen=True)
class Encoded:
    """Tokens of one conversation. Both lists have shape [tokens]."""

    input_ids: list[int]
    loss_mask: list[bool]


@dataclass(frozen=True)
class Score:
    """A metric's value with its bootstrap interval.

    `signature` is what the metric's library says about how it was computed.
    """

    value: float
    low: float
    high: float
    signature: str = ""
