"""Batch runs with a completer that needs no model."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from graft.serving.batch.plain_rows import RESULTS
from graft.serving.batch.requests import BatchRequest, Response
from graft.serving.batch.run import BatchRun
from graft.serving.batch.start import Engine, to_run
from graft.tasks import get_task


class Interrupted(Exception):
    """The run ends in the middle of a shard."""


class Echo:
    """Answers with the prompt reversed, or fails for one with `!`.

    Args:
        num_calls: shards after which it is interrupted; None: never.
        identity: all that responses depend on.
    Attributes:
        seen: all requests.
    """

    def __init__(
        self, num_calls: int | None = None, identity: Mapping[str, str] | None = None
    ) -> None:
        self._left = num_calls
        self.identity = identity or {"version": "echo/1"}
        self.seen: list[BatchRequest] = []

    def complete(
        self, requests: Sequence[BatchRequest], on_done: Callable[[], object]
    ) -> dict[int, Response]:
        if self._left == 0:
            raise Interrupted
        self._left = None if self._left is None else self._left - 1
        self.seen += requests
        for _ in requests:
            on_done()
        return {request.number: answer(request.body) for request in requests}


def answer(body: Mapping[str, Any]) -> Response:
    prompt = body.get("prompt") or body.get("fields", {}).get("source", "")
    if "messages" in body:
        prompt = body["messages"][-1]["content"]
    if "!" in str(prompt):
        return Response(400, {"error": {"message": f"no answer to {prompt}"}})
    choice: dict[str, Any] = {"text": str(prompt)[::-1], "finish_reason": "stop"}
    if "messages" in body:
        choice = {"message": {"content": choice["text"]}, "finish_reason": "stop"}
    usage = {"prompt_tokens": len(str(prompt)), "completion_tokens": 2}
    return Response(200, {"choices": [choice], "usage": usage})


def make_run(
    source: Path, out: Path, completer: Echo | None = None, **changes: Any
) -> BatchRun:
    """A run of a translation model."""
    task = get_task("translation")
    engine = Engine(completer or Echo(), "echo/1", lambda: task)
    options: dict[str, Any] = {
        "sampling": {},
        "seed": 0,
        "shard_rows": 3,
        "restart": False,
    }
    return to_run(source, out, lambda: engine, **(options | changes))


def write_lines(path: Path, values: Sequence[Any]) -> Path:
    """A JSON Lines file; texts are written as they are."""
    lines = [v if isinstance(v, str) else json.dumps(v) for v in values]
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    return path


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The objects of a JSON Lines file."""
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def results_of(path: Path, name: str = "completion") -> list[Any]:
    """A column of the results."""
    assert name in RESULTS
    return [row[name] for row in read_lines(path)]
