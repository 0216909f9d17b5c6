"""Runs, artifacts and the registry. A tracking server that is down loses nothing.

What a stage tells is written to a journal first (docs/adr/0003-tracking-journal.md).
A thread sends it on, so no training step waits for MLflow, whose import alone takes
seconds. Where sending fails the stage goes on, and ends by saying how to send later.
"""

import queue
import sys
import threading
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from graft.config import RegistryConfig
from graft.errors import TrackingError
from graft.tracking.journal import Event, Journal, without_secret
from graft.tracking.place import code_tags, run_name, tracking_uri

__all__ = ["Run", "register_adapter", "replay", "start_run"]

REQUIREMENTS = ("bitsandbytes", "mlflow", "peft", "torch", "transformers")
"""What a served adapter needs beside graft itself; told to MLflow, which would load
the model to find out."""


class Run:
    """A run of the line, as a context: it ends finished or failed with the block.

    Attributes:
        run_id: our own key, known at once; the MLflow run has it as tag `graft.run`.
    """

    def __init__(self, journal: Journal, uri: str, run_id: str) -> None:
        self.run_id = run_id
        self._journal, self._uri = journal, uri
        self._told = {
            (name, event.values["step"])
            for event in journal.of_kind("metrics")
            for name in event.values["metrics"]
        }
        self._queue: queue.Queue[Event | None] = queue.Queue()
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._forward, daemon=True)

    def log_params(self, params: Mapping[str, Any]) -> None:
        """Log parameters."""
        self._tell("params", params)

    def log_metrics(
        self, metrics: Mapping[str, float], step: int | None = None
    ) -> None:
        """Log values, of a step. What a step has told is not told again, so a training
        that goes on from a checkpoint may repeat steps."""
        if step is not None:
            new = {n: v for n, v in metrics.items() if (n, step) not in self._told}
            self._told |= {(name, step) for name in new}
            metrics = new
        if metrics:
            self._tell("metrics", {"metrics": dict(metrics), "step": step})

    def log_artifact(self, path: Path, folder: str = "") -> None:
        """Log a file or a folder. It must stay on disk until it is sent."""
        self._tell("artifact", {"path": str(path.absolute()), "folder": folder})

    def log_dataset(self, name: str, path: Path, digest: str, context: str) -> None:
        """Log a data set as input of the run."""
        values = {"name": name, "path": str(path), "digest": digest, "context": context}
        self._tell("dataset", values)

    def set_tags(self, tags: Mapping[str, str]) -> None:
        """Set tags."""
        self._tell("tags", tags)

    def wait(self) -> bool:
        """Wait until all that was told is sent; returns whether it has arrived."""
        self._queue.join()
        return self._failure is None

    def version(self) -> str | None:
        """The version that this run registered, if that has arrived."""
        return self._journal.read_sent().version or None

    def __enter__(self) -> Self:
        for event in self._journal.events[self._journal.read_sent().upto :]:
            self._queue.put(event)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._tell("end", {"status": "FINISHED" if error is None else "FAILED"})
        self._queue.put(None)
        self._thread.join()
        if self._failure is not None:
            print(f"warning: {self._lost()}", file=sys.stderr)

    def _tell(self, kind: str, values: Mapping[str, Any]) -> None:
        event = self._journal.append(kind, round(time.time() * 1000), values)
        self._queue.put(event)

    def _forward(self) -> None:
        """The sending thread: takes all that waits at once."""
        sender: Any = None
        done = False
        while not done:
            events = [self._queue.get()]
            while not self._queue.empty():
                events.append(self._queue.get())
            done = events[-1] is None
            try:
                if self._failure is None:
                    if sender is None:
                        from graft.tracking.sender import Sender

                        sender = Sender(self._journal, self._uri, system_metrics=True)
                        self._resume(sender, events[0])
                    sender.send([event for event in events if event is not None])
            except Exception as error:  # pylint: disable=broad-exception-caught
                self._failure = error  # whatever MLflow raises, training goes on
            for _ in events:
                self._queue.task_done()
        if sender is not None:
            sender.close()

    def _resume(self, sender: Any, first: Event | None) -> None:
        """Find the run again where its start was sent before."""
        if first is not None and first.kind != "start":
            sender.send([next(self._journal.of_kind("start"))])

    def _lost(self) -> TrackingError:
        reason = str(self._failure).strip().splitlines() or [repr(self._failure)]
        return TrackingError(
            without_secret(self._uri),
            f"not all of this run was logged: {without_secret(reason[0])[:300]}",
            expected="an MLflow tracking store that answers",
            fix=f"nothing is lost; when it answers: graft log {self._journal.path}",
        )


def start_run(
    registry: RegistryConfig, journal: Path, *, run_id: str | None = None
) -> Run:
    """A run, to be used in a `with` block.

    Args:
        registry: experiment and address; MLFLOW_TRACKING_URI goes before the latter.
        journal: the run's file. If it exists, its run goes on.
        run_id: a run of another stage to go on with; where the store does not know
            it, a new MLflow run gets this key.
    """
    book = Journal(journal)
    start = next(book.of_kind("start"), None)
    if start is None:
        tags = code_tags()
        values = {
            "key": run_id or uuid.uuid4().hex,
            "experiment": registry.experiment,
            "name": run_name(tags),
            "tags": tags,
        }
        start = book.append("start", round(time.time() * 1000), values)
    return Run(book, tracking_uri(registry, Path.cwd()), start.values["key"])


def register_adapter(
    run: Run,
    registry: RegistryConfig,
    adapter: Path,
    *,
    code: Path,
    tags: Mapping[str, str],
) -> str | None:
    """Log an adapter as a model from code and register it.

    Every version gets the alias `challenger`; the first one also `champion`.

    Args:
        run: that made it.
        registry: gives the model's name.
        adapter: its folder, which alone is logged; the base is named in it.
        code: the Python file that MLflow runs to load it.
        tags: of the version.
    Returns: the version, or None if the store did not answer.
    """
    from importlib.metadata import version

    values = {
        "name": registry.name,
        "adapter": str(adapter.absolute()),
        "code": str(code.absolute()),
        "tags": dict(tags),
        "requirements": [f"{name}=={version(name)}" for name in REQUIREMENTS],
    }
    run._tell("register", values)  # pylint: disable=protected-access
    return run.version() if run.wait() else None


def replay(journal: Path, registry: RegistryConfig) -> int:
    """Send what has not arrived of a run; returns the number of events sent.

    Raises: TrackingError if there is no such journal, or the store does not answer.
    """
    from graft.tracking.sender import send_journal

    book = Journal(journal)
    uri = tracking_uri(registry, Path.cwd())
    if not book.events:
        raise TrackingError(
            str(journal),
            "no journal of a run here",
            expected="the path that a stage named",
            fix="look in checkpoints/ and .graft/ for *.jsonl",
        )
    try:
        return send_journal(book, uri)
    except Exception as error:
        reason = str(error).strip().splitlines() or [repr(error)]
        raise TrackingError(
            without_secret(uri),
            f"cannot be logged to: {without_secret(reason[0])[:300]}",
            expected="an MLflow tracking store that answers",
            fix="start it, or set MLFLOW_TRACKING_URI; then run this again",
        ) from error
