"""Rows whose columns are a prompt, a chat, or the fields of a task."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from graft.data.convert.task import Task
from graft.errors import DataError
from graft.records import Reject, Row
from graft.serving.batch.requests import BatchRequest, Response
from graft.serving.errors import ApiError
from graft.serving.inputs import prompt_fields

RESULTS = (
    "completion",
    "finish_reason",
    "prompt_tokens",
    "completion_tokens",
    "error",
)
"""Columns that are added to those of the input."""
MOST_SEED = 2**31 - 1
"""So that a row's seed has 63 bits."""


@dataclass(frozen=True)
class PlainLayout:
    """Rows with the columns that a prompt is made of.

    Args:
        path: of the API.
        columns: what prompts are made of.
        to_input: a row's values → the fields of the body that are its prompt.
        settings: further fields of each body.
        seed: the seed of a row is made of it and of the row's number.
    """

    path: str
    columns: Sequence[str]
    to_input: Callable[[Mapping[str, Any]], dict[str, Any]]
    settings: Mapping[str, Any]
    seed: int

    def to_request(self, row: Row, number: int) -> BatchRequest:
        """The request of a row. Raises: ApiError if it has none."""
        seed = (self.seed << 32) + number
        body = {**self.settings, "seed": seed, **self.to_input(row.values)}
        return BatchRequest(number, self.path, body)

    def to_result(
        self, row: Row | Reject, number: int, response: Response
    ) -> dict[str, Any]:
        """The columns that are added to a row."""
        del row, number
        result: dict[str, Any] = dict.fromkeys(RESULTS)
        if error := response.error:
            return result | {"error": error}
        choice, usage = response.body["choices"][0], response.body.get("usage") or {}
        message = choice.get("message")
        return result | {
            "completion": message["content"] if message else choice["text"],
            "finish_reason": choice["finish_reason"],
            "prompt_tokens": usage.get("prompt_tokens"),
            "completion_tokens": usage.get("completion_tokens"),
        }

    def error_of(self, result: Mapping[str, Any]) -> str | None:
        """Why a result has no completion."""
        error: str | None = result["error"]
        return error


def find_layout(
    where: str,
    columns: Sequence[str],
    find_task: Callable[[], Task | None],
    settings: Mapping[str, Any],
    seed: int,
) -> PlainLayout:
    """The layout of rows with these columns: `messages`, the fields of the task, or
    `prompt`, whichever comes first.

    Args:
        where: the file, for messages.
        find_task: called if there is no column `messages`; None: no task is known.
        settings: fields of each body.
        seed: from 0 to `MOST_SEED`.
    Raises: DataError if prompts cannot be made, or a column has the name of a result.
    """
    if taken := [name for name in RESULTS if name in columns]:
        raise DataError(
            where,
            f"has a column {taken[0]!r}, which the output adds",
            expected=f"no column called {', '.join(RESULTS)}",
            fix="rename or remove the column",
        )
    if "messages" in columns:
        return PlainLayout("/v1/chat/completions", ["messages"], _chat, settings, seed)
    task = find_task()
    fields = prompt_fields(task) if task else []
    needed = [name for name in fields if task and not task.fields[name].optional]
    if task and needed and set(needed) <= set(columns):
        used = [name for name in fields if name in columns]
        return PlainLayout(
            f"/v1/tasks/{task.name}", used, partial(_fields, used), settings, seed
        )
    if "prompt" in columns or not columns:
        return PlainLayout("/v1/completions", ["prompt"], _prompt, settings, seed)
    own = f", or {', '.join(needed)} for task {task.name}" if task and needed else ""
    raise DataError(
        where,
        f"no column is a prompt; there are {', '.join(columns)}",
        expected=f"a column prompt, or messages{own}; or OpenAI's batch format",
        fix="rename a column",
    )


def _prompt(values: Mapping[str, Any]) -> dict[str, Any]:
    if (prompt := values.get("prompt")) is None:
        raise ApiError(400, "prompt: missing", param="prompt", code="missing_field")
    return {"prompt": prompt}


def _fields(names: Sequence[str], values: Mapping[str, Any]) -> dict[str, Any]:
    found = {name: values.get(name) for name in names}
    return {"fields": {name: v for name, v in found.items() if v is not None}}


def _chat(values: Mapping[str, Any]) -> dict[str, Any]:
    messages = values.get("messages")
    if isinstance(messages, str):  # a cell of a CSV file
        try:
            messages = json.loads(messages)
        except (ValueError, RecursionError) as error:
            raise ApiError(
                400, f"messages: not JSON: {error}", param="messages"
            ) from error
    if not isinstance(messages, list) or not all(
        isinstance(message, Mapping) for message in messages
    ):
        raise ApiError(400, "messages: missing, or not a list of turns")
    # Structs of Parquet have all keys, null where a turn has none.
    return {
        "messages": [
            {name: value for name, value in message.items() if value is not None}
            for message in messages
        ]
    }
