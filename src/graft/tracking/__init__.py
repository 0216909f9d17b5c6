"""Runs, artifacts and the model registry. Nothing is lost if the server is down.

Everything that a stage logs is first written to a journal
(docs/adr/0003-tracking-journal.md). A background thread sends it, so no training step
waits for MLflow, whose import alone takes seconds. If sending fails, the stage
continues, and at its end prints the command that sends the rest later.
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
from graft.tracking.requirements import pinned_requirements
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


def start_run(
    registry: RegistryConfig, journal: Path, *, run_id: str | None = None
) -> Run:
    """A run, to be used in a `with` block.

    Args:
        registry: experiment and address; MLFLOW_TRACKING_URI overrides the address.
        journal: file of the run. If it exists, the run is continued.
        run_id: a run of another stage to continue; if the store has no run with this
            key, a new MLflow run gets it.
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
    package: Path | None = None,
    signature: Path | None = None,
    settings: Mapping[str, Any],
    tags: Mapping[str, str],
    evaluation: str = "",
    aliases: Sequence[str] = ("challenger",),
    description: str = "",
) -> str | None:
    """Log an adapter as a model from code and register it.

    Args:
        run: the run that trained it.
        registry: contains the name of the model.
        adapter: its folder; only this is logged, and it names the base.
        code: the Python file that MLflow runs to load it.
        package: folder of the package that this file imports; it is stored, too, so
            that the model loads where graft is not installed.
        signature: file with the signature of the adapter's folder, if it is signed.
        settings: of the model; it reads them when it is loaded.
        tags: of the version.
        evaluation: a key of the evaluation. If this run already registered a version
            for it, only the tags and aliases of that version are updated, unless its
            certificate failed. Without a key, each call registers a new version.
        aliases: of the version. If empty, the version loses the aliases that it had,
            except champion.
        description: Markdown on the version's page, to which links are added; it
            replaces no description that a person wrote.
    Returns: the version, or None if the store did not respond.
    """
    values: dict[str, Any] = {
        "name": registry.name,
        "adapter": str(adapter.absolute()),
        "code": str(code.absolute()),
        "package": package and str(package.absolute()),
        "signature": signature and str(signature.absolute()),
        "settings": dict(settings),
        "tags": dict(tags),
        "evaluation": evaluation,
        "aliases": list(aliases),
        "description": description,
        "requirements": pinned_requirements(),
    }
    lock = lock_tags("evaluate")
    values["tags"] |= lock
    run.set_tags(lock)
    run.record("register", values)
    return run.version() if run.wait() else None


def replay(journal: Path, registry: RegistryConfig) -> int:
    """Send the missing part of a run; returns the number of events sent.

    Raises: TrackingError if there is no such journal, or the store does not respond.
    """
    from graft.tracking.sender import Sender

    book = Journal(journal)
    uri = tracking_uri(registry, Path.cwd())
    if not book.events:
        raise TrackingError(
            str(journal),
            "there is no journal of a run",
            expected="the path that a stage printed",
            fix="look in checkpoints/ and .graft/ for *.jsonl",
        )
    try:
        sender = Sender(book, uri, system_metrics=False)
        count = sender.send()
    except Exception as error:
        raise TrackingError(
            without_secret(uri),
            f"sending failed: {first_line(error)}",
            expected="an MLflow tracking store that responds",
            fix="start it, or set MLFLOW_TRACKING_URI; then run this again",
        ) from error
    for refused in sender.refused:
        print(f"warning: the tracking store rejected {refused}", file=sys.stderr)
    return count
