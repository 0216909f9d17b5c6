"""Runs, artifacts and the registry. A tracking server that is down loses nothing.

What a stage tells is written to a journal first (docs/adr/0003-tracking-journal.md).
A thread sends it on, so no training step waits for MLflow, whose import alone takes
seconds. Where sending fails the stage goes on, and ends by saying how to send later.
"""

import sys
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from graft.config import RegistryConfig
from graft.config.secrets import without_secret
from graft.errors import TrackingError
from graft.tracking.access import check_store, served_address
from graft.tracking.journal import Journal
from graft.tracking.place import code_tags, lock_tags, run_name, tracking_uri
from graft.tracking.run import Run
from graft.tracking.store import first_line

__all__ = [
    "Run",
    "check_store",
    "register_adapter",
    "replay",
    "served_address",
    "start_run",
]

REQUIREMENTS = ("bitsandbytes", "mlflow", "peft", "torch", "transformers")
"""What a served adapter needs beside graft itself; told to MLflow, which would load
the model to find out."""


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
    evaluation: str = "",
    aliases: Sequence[str] = ("challenger", "champion"),
) -> str | None:
    """Log an adapter as a model from code and register it.

    Args:
        run: that made it.
        registry: gives the model's name.
        adapter: its folder, which alone is logged; the base is named in it.
        code: the Python file that MLflow runs to load it.
        tags: of the version.
        evaluation: a key of the evaluation. A version that this run registered for it
            before only gets its tags and aliases anew. Without a key each call
            registers a version.
        aliases: of the version; `champion` only where no version has it. A version
            without any loses those that it had.
    Returns: the version, or None if the store did not answer.
    """
    values: dict[str, Any] = {
        "name": registry.name,
        "adapter": str(adapter.absolute()),
        "code": str(code.absolute()),
        "tags": dict(tags),
        "evaluation": evaluation,
        "aliases": list(aliases),
        "requirements": _requirements(),
    }
    lock = lock_tags("evaluate")
    values["tags"] |= lock
    run.set_tags(lock)
    run.tell("register", values)
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
        sender = Sender(book, uri, system_metrics=False)
        count = sender.send()
    except Exception as error:
        raise TrackingError(
            without_secret(uri),
            f"cannot be logged to: {first_line(error)}",
            expected="an MLflow tracking store that answers",
            fix="start it, or set MLFLOW_TRACKING_URI; then run this again",
        ) from error
    for refused in sender.refused:
        print(f"warning: the tracking store refused {refused}", file=sys.stderr)
    return count
