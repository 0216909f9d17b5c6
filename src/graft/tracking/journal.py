"""The events of a run, on disk before they are sent.

A journal is a file of JSON lines, each a numbered event. A small file beside it records
the first event that has not been sent, and the MLflow run. An incomplete last line, as
after a kill, is dropped.
"""

import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from graft import io
from graft.config.secrets import without_secrets
from graft.errors import TrackingError

FILES = {
    "artifact": ("path",),
    "register": ("adapter", "signature", "code", "package"),
}
"""Kinds of events that refer to files to be sent, and the fields with their paths; a
field may be missing or null."""


@dataclass(frozen=True)
class Event:
    """One logged event: `kind` is start, resume, params, metrics, tags, artifact,
    dataset, register or end; `time_ms` is when it happened."""

    number: int
    kind: str
    time_ms: int
    values: dict[str, Any]


@dataclass(frozen=True)
class Sent:
    """What was sent of a journal: the events before `upto`, to `mlflow_run`."""

    upto: int = 0
    mlflow_run: str = ""
    version: str = ""
    uri: str = ""


@dataclass
class Journal:
    """A run's events in order. Appending makes them durable.

    Raises: TrackingError if the file is not a journal.
    """

    path: Path
    events: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not self.path.is_file():
            return
        whole = self.path.read_bytes().rpartition(b"\n")[0]
        try:
            self.events = [Event(**json.loads(line)) for line in whole.splitlines()]
        except (TypeError, ValueError) as error:
            raise TrackingError(
                str(self.path),
                f"not the journal of a run: {error}",
                expected="a .jsonl file written by a stage",
                fix="pass the path that the stage printed, or remove the file",
            ) from error
        if self.path.stat().st_size > len(whole) + 1:
            self._write(self.path, self.events)

    def append(self, kind: str, time_ms: int, values: Mapping[str, Any]) -> Event:
        """Write an event atomically, without credentials in addresses."""
        plain: Any = without_secrets(json.loads(json.dumps(values, default=str)))
        for name in FILES.get(kind, ()):  # relative, so that a repository may be moved
            if values.get(name):
                plain[name] = os.path.relpath(values[name], self.path.parent)
        event = Event(len(self.events), kind, time_ms, plain)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab", buffering=0) as file:
            size, line = file.tell(), _to_line(event).encode()
            try:
                while line:
                    line = line[file.write(line) :]
                os.fsync(file.fileno())
            except OSError as error:
                os.truncate(self.path, size)
                raise io.storage_error(self.path, error) from error
        self.events.append(event)
        return event

    def of_kind(self, kind: str) -> Iterator[Event]:
        """The events of a kind."""
        return (event for event in self.events if event.kind == kind)

    def file(self, event: Event, name: str) -> Path:
        """The absolute path of a file that an event names."""
        return Path(os.path.normpath(self.path.parent.absolute() / event.values[name]))

    def read_sent(self) -> Sent:
        """The part that was sent."""
        path = self._sent_path
        return Sent(**io.read_json(path)) if path.is_file() else Sent()

    def mark_sent(self, **changes: Any) -> None:
        """Record what was sent."""
        io.write_json(self._sent_path, replace(self.read_sent(), **changes))

    def keep(self, path: Path) -> None:
        """Write the journal to `path`, with copies of the files that are not sent yet.

        Later runs may overwrite the files, and DVC may remove its working copy.
        """
        sent = self.read_sent()
        files = path.with_suffix(".files")
        kept = []
        for event in self.events:
            values = dict(event.values)
            if event.number >= sent.upto:
                for name in filter(values.get, FILES.get(event.kind, ())):
                    copy = _copy(self.file(event, name), files / str(event.number))
                    values[name] = os.path.relpath(copy, path.parent)
            kept.append(replace(event, values=values))
        self._write(path, kept)
        Journal(path).mark_sent(**vars(sent))

    @staticmethod
    def _write(path: Path, events: Iterable[Event]) -> None:
        io.write_text(path, "".join(map(_to_line, events)))

    @property
    def _sent_path(self) -> Path:
        return self.path.with_suffix(".sent.json")


def _to_line(event: Event) -> str:
    return json.dumps(vars(event), ensure_ascii=False) + "\n"


def _copy(source: Path, folder: Path) -> Path:
    """Copy a file or folder into `folder`; returns the copy's absolute path."""
    target = folder.absolute() / source.name
    if source != target and source.exists():
        io.remove(target)
        target.parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if source.is_dir() else shutil.copy2
        copy(source, target)
    return target
