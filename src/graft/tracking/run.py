"""A run as the stages use it: a journal, and a thread that sends it."""

import json
import logging
import os
import queue
import shlex
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from graft import io
from graft.config.secrets import without_secret
from graft.errors import GraftError, TrackingError
from graft.telemetry.training import TrainingMetrics
from graft.tracking.journal import Journal
from graft.tracking.place import repository_root
from graft.tracking.store import (
    ACCESS_ERRORS,
    RefusedError,
    first_line,
    is_refusal,
    refusal,
)

LOGGER = logging.getLogger(__name__)
PATIENCE_S = 1.0
"""Seconds to wait silently for an interrupted run to close."""


class Run:
    """A run of the pipeline, as a context manager: it ends as finished or failed.

    Attributes:
        run_id: graft's own key, known at once; a tag `graft.run` of the MLflow run.
        journal: the file with all events.
    """

    def __init__(self, journal: Journal, uri: str, run_id: str) -> None:
        self.run_id, self.journal = run_id, journal.path
        self._journal, self._uri = journal, uri
        self._logged = {
            (name, event.values["step"])
            for event in journal.of_kind("metrics")
            for name in event.values["metrics"]
        }
        self._queue: queue.Queue[bool] = queue.Queue()  # whether the run has ended
        self._metrics = TrainingMetrics(os.environ)
        self._failure: Exception | None = None
        self._refusal: TrackingError | None = None
        self._refused: list[str] = []
        self._thread = threading.Thread(target=self._forward, daemon=True)

    def log_params(self, params: Mapping[str, Any]) -> None:
        """Log parameters."""
        self.record("params", params)
        text = json.dumps(dict(params), sort_keys=True, default=str)
        self.set_tags({"params.digest": io.digest(text.encode())})

    def log_metrics(
        self, metrics: Mapping[str, float], step: int | None = None
    ) -> None:
        """Log values, optionally of a step. A value that was already logged for a step
        is skipped, so a resumed training may repeat steps."""
        if step is not None:
            self._metrics.read(metrics, step)
            new = {n: v for n, v in metrics.items() if (n, step) not in self._logged}
            self._logged |= {(name, step) for name in new}
            metrics = new
        if metrics:
            self.record("metrics", {"metrics": dict(metrics), "step": step})

    def log_artifact(self, path: Path, folder: str = "") -> None:
        """Log a file or a folder. It must stay on disk until it is sent."""
        self.record("artifact", {"path": str(path.absolute()), "folder": folder})

    def mark_tables(self, paths: Sequence[str]) -> None:
        """Declare artifacts as tables, which MLflow shows as such. Each is JSON with
        `columns` and `data`."""
        tables = [{"path": path, "type": "table"} for path in paths]
        self.set_tags({"mlflow.loggedArtifacts": json.dumps(tables)})

    def log_dataset(
        self, name: str, path: Path | str, digest: str, context: str
    ) -> None:
        """Log a data set as input of the run; `path` may be an address."""
        values = {"name": name, "path": str(path), "digest": digest, "context": context}
        self.record("dataset", values)

    def set_tags(self, tags: Mapping[str, str]) -> None:
        """Set tags."""
        self.record("tags", tags)

    def wait(self) -> bool:
        """Wait until all events are sent; returns whether that succeeded."""
        self._queue.join()
        return self._failure is None

    def version(self) -> str | None:
        """The version that this run registered, if the registration was sent."""
        return self._journal.read_sent().version or None

    def links(self) -> dict[str, str]:
        """Where to find this run: its address, or a search expression."""
        found = {"MLflow run": f'tags."graft.run" = "{self.run_id}"'}
        mlflow_run = self._journal.read_sent().mlflow_run
        if mlflow_run and self._uri.startswith("http"):
            root = without_secret(self._uri).rstrip("/")
            # MLflow's page finds the experiment of the run by itself.
            found["MLflow run"] = f"{root}/#/experiments/0/runs/{mlflow_run}"
        return found

    def __enter__(self) -> Self:
        self._thread.start()
        self._queue.put(False)
        if self._journal.events[-1].kind == "end":
            self.record("resume", {})
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        is_broken = error is not None and not isinstance(error, KeyboardInterrupt)
        self._metrics.close(failed=is_broken)
        ended = "KILLED" if isinstance(error, KeyboardInterrupt) else "FAILED"
        self.record("end", {"status": ended if error else "FINISHED"})
        self._queue.put(True)
        if isinstance(error, KeyboardInterrupt):
            self._thread.join(PATIENCE_S)
            if self._thread.is_alive():
                print(
                    "closing the MLflow run; interrupt again to leave at once",
                    file=sys.stderr,
                )
        self._thread.join()
        root = repository_root(Path.cwd())
        path = self.journal
        if root != Path.cwd():  # this folder will be removed, with the journal in it
            stem = path.stem.removesuffix(f"-{self.run_id}")
            path = root / ".graft" / f"{stem}-{self.run_id}.jsonl"
        try:
            if self._failure is not None or path != self.journal:
                self._journal.keep(path)
        except (GraftError, OSError) as reason:  # do not fail the stage
            path, self._failure = self.journal, self._failure or reason
        for refused in self._refused:
            print(f"warning: the tracking store rejected {refused}", file=sys.stderr)
        raised = error is not None and error is self._refusal
        if self._failure is not None and not raised:
            print(f"warning: {self._lost(path)}", file=sys.stderr)

    def record(self, kind: str, values: Mapping[str, Any]) -> None:
        """Write an event to the journal, and wake the thread that sends it.

        Raises: TrackingError if the store has permanently rejected the run.
        """
        if self._refusal is not None and kind != "end":
            raise self._refusal
        self._journal.append(kind, round(time.time() * 1000), values)
        self._queue.put(False)

    def _forward(self) -> None:
        """The sending thread: sends all waiting events together."""
        sender: Any = None
        ended = False
        while not ended:
            ended, taken = self._queue.get(), 1
            while not self._queue.empty():
                ended, taken = self._queue.get(), taken + 1
            try:
                if self._failure is None:
                    if sender is None:
                        from graft.tracking.sender import Sender

                        sender = self._open(Sender)
                    LOGGER.debug("%d events sent", sender.send())
            except Exception as error:  # pylint: disable=broad-exception-caught
                self._failure = error  # whatever MLflow raises, training goes on
                LOGGER.debug("sending failed", exc_info=error)
                if sender is not None:
                    sender.close()
            for _ in range(taken):
                self._queue.task_done()
        if sender is not None:
            sender.close()
            self._refused = sender.refused

    def _open(self, kind: Any) -> Any:
        """The sender. A rejection at the start is permanent."""
        try:
            return kind(self._journal, self._uri, system_metrics=True)
        except Exception as error:
            if is_refusal(error, ACCESS_ERRORS):
                self._refusal = refusal(self._uri, error)
            elif isinstance(error, RefusedError):
                self._refusal = error
            raise

    def _lost(self, path: Path) -> TrackingError:
        return TrackingError(
            without_secret(self._uri),
            f"not all of this run was logged: {first_line(self._failure)}",
            expected="an MLflow tracking store that responds",
            fix=f"nothing is lost; to send it: graft log {shlex.quote(str(path))}",
        )
