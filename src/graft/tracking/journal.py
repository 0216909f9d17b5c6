"""What a run has to tell, on disk before anywhere else.

A journal is a file of JSON lines, each an event with a number. Beside it a small file
says up to which event all has been sent, and to which MLflow run. A line torn by a
kill is dropped: it was not told.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from graft import io

_SECRET = re.compile(r"(?<=://)[^/@\s]+@")


@dataclass(frozen=True)
class Event:
    """One thing to tell: `kind` is start, params, metrics, tags, artifact, dataset,
    register or end; `time_ms` is when it happened."""

    number: int
    kind: str
    time_ms: int
    values: dict[str, Any]


@dataclass(frozen=True)
class Sent:
    """How much of a journal has arrived: the events before `upto`, in `mlflow_run`."""

    upto: int = 0
    mlflow_run: str = ""
    version: str = ""
    uri: str = ""


@dataclass
class Journal:
    """A run's events in order. Appending makes them durable."""

    path: Path
    events: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.path.is_file():
            whole = self.path.read_bytes().rpartition(b"\n")[0]
            self.events = [Event(**json.loads(line)) for line in whole.splitlines()]
            io.write_text(self.path, whole.decode() + "\n" if whole else "")
        self.path.parent.mkdir(parents=True, exist_ok=True)

    def append(self, kind: str, time_ms: int, values: Mapping[str, Any]) -> Event:
        """Write an event. Credentials in addresses are left out."""
        plain = _without_secrets(json.loads(json.dumps(values, default=str)))
        event = Event(len(self.events), kind, time_ms, plain)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(vars(event), ensure_ascii=False) + "\n")
            file.flush()
            os.fsync(file.fileno())
        self.events.append(event)
        return event

    def of_kind(self, kind: str) -> Iterator[Event]:
        """The events of a kind."""
        return (event for event in self.events if event.kind == kind)

    def read_sent(self) -> Sent:
        """How much has arrived."""
        path = self._sent_path
        return Sent(**io.read_json(path)) if path.is_file() else Sent()

    def mark_sent(self, **changes: Any) -> None:
        """Note what has arrived."""
        io.write_json(self._sent_path, replace(self.read_sent(), **changes))

    @property
    def _sent_path(self) -> Path:
        return self.path.with_suffix(".sent.json")


def without_secret(text: str) -> str:
    """An address without its user and password."""
    return _SECRET.sub("", text)


def _without_secrets(value: Any) -> Any:
    if isinstance(value, str):
        return without_secret(value)
    if isinstance(value, list):
        return [_without_secrets(item) for item in value]
    if isinstance(value, dict):
        return {key: _without_secrets(item) for key, item in value.items()}
    return value
