"""Requests that have ended, and a log of them."""

from pathlib import Path
from typing import Any

from graft.config.monitoring import RequestLogConfig
from graft.errors import StorageError
from graft.monitoring.request_log import read_rows
from graft.monitoring.served_request import ServedRequest

TIME_MS = 1_800_000_000_000


def served_request(number: int = 0, **changes: Any) -> ServedRequest:
    """Request `number`, which arrived `number` seconds after `TIME_MS`."""
    values: dict[str, Any] = {
        "id": f"request-{number}",
        "time_ms": TIME_MS + 1000 * number,
        "route": "/v1/chat/completions",
        "status": 200,
        "outcome": "completed",
        "client": "web",
        "version": "translator/3",
        "group": "main",
        "num_prompt_tokens": 4,
        "num_completion_tokens": 3,
        "finishes": ["stop"],
        "duration_s": 0.5,
        "first_token_s": 0.1,
        "guards": {},
        "prompt_ids": [1, 7, 7, 2],
        "prompt": "The cat sleeps.",
        "completions": ["Le chat dort."],
    }
    return ServedRequest(**values | changes)


def log_config(**changes: Any) -> RequestLogConfig:
    """A request log whose shards are closed at once."""
    values = {
        "folder": "requests",
        "shard_s": 0.05,
        "max_bytes": 2**30,
        "remote": None,
        "texts": False,
        "regions": ["FR"],
    }
    return RequestLogConfig.model_validate(values | changes)


def logged_ids(folder: Path) -> list[str]:
    """The ids of all rows of a request log."""
    return read_rows(folder, columns=["id"])["id"].to_pylist()


class DeadRemote:
    """A remote that never answers."""

    def names(self) -> set[str]:
        raise StorageError("s3://bucket", "no answer")

    def put(self, file: Path) -> None:
        raise StorageError("s3://bucket", "no answer")

    def remove(self, name: str) -> None:
        raise StorageError("s3://bucket", "no answer")
