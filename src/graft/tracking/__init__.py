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
from graft.errors import GraftError, TrackingError
from graft.tracking.journal import Journal, without_secret
from graft.tracking.place import code_tags, repository_root, run_name, tracking_uri

__all__ = ["Run", "register_adapter", "replay", "start_run"]

REQUIREMENTS = ("bitsandbytes", "mlflow", "peft", "torch", "transformers")
"""What a served adapter needs beside graft itself; told to MLflow, which would load
the model to find out."""


class Run:
    """A run of the line, as a context: it ends finished or failed with the block.

    Attributes:
        run_id: our own key, known at once; the MLflow run has it as tag `graft.run`.
        journal: the file of all that was told.
    """

    def __init__(self, journal: Journal, uri: str, run_id: str) -> None:
        self.run_id, self.journal = run_id, journal.path
        self._journal, self._uri = journal, uri
        self._told = {
            (name, event.values["step"])
            for event in journal.of_kind("metrics")
            for name in event.values["metrics"]
        }
        self._queue: queue.Queue[bool] = queue.Queue()  # whether the run has ended
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
        self._thread.start()
        self._queue.put(False)
        if self._journal.events[-1].kind == "end":
            self._tell("resume", {})
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._tell("end", {"status": "FINISHED" if error is None else "FAILED"})
        self._queue.put(True)
        self._thread.join()
        root = repository_root(Path.cwd())
        path = self.journal
        if root != Path.cwd():  # this folder goes, and the journal in it
            stem = path.stem.removesuffix(f"-{self.run_id}")
            path = root / ".graft" / f"{stem}-{self.run_id}.jsonl"
        try:
            if self._failure is not None or path != self.journal:
                self._journal.keep(path)
        except (GraftError, OSError) as reason:  # the outputs stay all the same
            path, self._failure = self.journal, self._failure or reason
        if self._failure is not None:
            print(f"warning: {self._lost(path)}", file=sys.stderr)

    def _tell(self, kind: str, values: Mapping[str, Any]) -> None:
        self._journal.append(kind, round(time.time() * 1000), values)
        self._queue.put(False)

    def _forward(self) -> None:
        """The sending thread: sends all that waits at once."""
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

                        sender = Sender(self._journal, self._uri, system_metrics=True)
                    sender.send()
            except Exception as error:  # pylint: disable=broad-exception-caught
                self._failure = error  # whatever MLflow raises, training goes on
                if sender is not None:
                    sender.close()
            for _ in range(taken):
                self._queue.task_done()
        if sender is not None:
            sender.close()

    def _lost(self, path: Path) -> TrackingError:
        reason = str(self._failure).strip().splitlines() or [repr(self._failure)]
        return TrackingError(
            without_secret(self._uri),
            f"not all of this run was logged: {without_secret(reason[0])[:300]}",
            expected="an MLflow tracking store that answers",
            fix=f"nothing is lost; when it answers: graft log {path}",
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
    if not book.events:
        tags = code_tags()
        values = {
            "key": run_id or uuid.uuid4().hex,
            "experiment": registry.experiment,
            "name": run_name(tags),
            "tags": tags,
        }
        book.append("start", round(time.time() * 1000), values)
    uri = tracking_uri(registry, Path.cwd())
    return Run(book, uri, book.events[0].values["key"])


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
    values = {
        "name": registry.name,
        "adapter": str(adapter.absolute()),
        "code": str(code.absolute()),
        "tags": dict(tags),
        "requirements": _requirements(),
    }
    run._tell("register", values)  # pylint: disable=protected-access
    return run.version() if run.wait() else None


def _requirements() -> list[str]:
    from importlib.metadata import PackageNotFoundError, version

    found = []
    for name in REQUIREMENTS:
        try:
            found.append(f"{name}=={version(name)}")
        except PackageNotFoundError:  # a machine that only trains may lack MLflow
            found.append(name)
    return found


def replay(journal: Path, registry: RegistryConfig) -> int:
    """Send what has not arrived of a run; returns the number of events sent.

    Raises: TrackingError if there is no such journal, or the store does not answer.
    """
    from graft.tracking.sender import Sender

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
        return Sender(book, uri, system_metrics=False).send()
    except Exception as error:
        reason = str(error).strip().splitlines() or [repr(error)]
        raise TrackingError(
            without_secret(uri),
            f"cannot be logged to: {without_secret(reason[0])[:300]}",
            expected="an MLflow tracking store that answers",
            fix="start it, or set MLFLOW_TRACKING_URI; then run this again",
        ) from error
