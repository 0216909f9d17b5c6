"""Check that the tracking store accepts runs, before anything is computed."""

import os
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

from graft.config import RegistryConfig
from graft.config.secrets import without_secret
from graft.errors import TrackingError
from graft.tracking.moved import follow_artifacts
from graft.tracking.place import alone, sqlite_file, tracking_uri
from graft.tracking.store import (
    ACCESS_ERRORS,
    EVENT_ERRORS,
    RefusedError,
    deleted,
    first_line,
    is_refusal,
    open_mlflow,
    refusal,
)

_NO_STORE = frozenset({"ENDPOINT_NOT_FOUND", "RESOURCE_DOES_NOT_EXIST", "NOT_FOUND"})
"""MLflow's error codes if the address is not that of a tracking store."""
_UNREACHABLE = ("OperationalError", "ConnectionError", "TimeoutError")
"""Errors of a database that is down."""
_CHECKED = "graft.preflight"
"""A tag of the experiment, set to test the permission to write."""


def check_store(registry: RegistryConfig) -> None:
    """Print a warning if the store does not respond, since then nothing is lost.

    Raises: TrackingError if it would reject every run.
    """
    uri = tracking_uri(registry, Path.cwd())
    if (file := sqlite_file(uri)) is not None:
        _check_file(file, registry.experiment)
        return
    scheme, sign, _ = uri.partition("://")
    if scheme == "file" or not (sign or uri == "databricks"):
        raise RefusedError(
            uri,
            "MLflow no longer stores runs in folders",
            expected="a SQLite file or a server",
            fix="set registry.tracking_uri=sqlite:///mlflow.db; to move "
            "runs there: mlflow migrate-filestore",
        )
    try:
        _try(uri, registry.experiment)
    except RefusedError:
        raise
    except Exception as error:  # pylint: disable=broad-exception-caught
        web = uri.startswith(("http://", "https://"))
        permanent = is_refusal(error, ACCESS_ERRORS | EVENT_ERRORS | _NO_STORE)
        if permanent or not web and type(error).__name__ not in _UNREACHABLE:
            raise refusal(uri, error) from error
        print(
            f"warning: {without_secret(uri)}: the tracking store does not respond: "
            f"{first_line(error)}\n  runs are kept in .graft/ and checkpoints/; send "
            "them later with: graft log",
            file=sys.stderr,
        )


def served_address(registry: RegistryConfig) -> tuple[str, bool]:
    """The store's address, and whether it is a file, which has no web server.

    If the file was moved, the addresses of its artifacts are corrected.
    Raises: TrackingError if the file cannot be used.
    """
    uri = tracking_uri(registry, Path.cwd())
    file = sqlite_file(uri)
    if file is None:
        return without_secret(uri), False
    if not file.is_file():
        raise TrackingError(
            str(file),
            "there are no runs yet",
            expected="a tracking store created by a stage",
            fix="run the pipeline first (dvc repro), in the root of the repository",
        )
    with alone(uri):
        follow_artifacts(uri)
    return uri, True


def _try(uri: str, experiment: str) -> None:
    """Write to the experiment, which is created if necessary."""
    client = open_mlflow(uri).MlflowClient()
    found = client.get_experiment_by_name(experiment)
    if found is None:
        client.create_experiment(experiment)
    elif found.lifecycle_stage == "deleted":
        raise deleted(experiment, found.experiment_id)
    else:
        client.set_experiment_tag(found.experiment_id, _CHECKED, "passed")


def _check_file(file: Path, experiment: str) -> None:
    """Raises: TrackingError if the file is unusable, or the experiment was deleted."""
    folder = next(one for one in file.parents if one.exists())
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        raise _unusable(folder, "not a writable folder")
    if not file.exists():
        return
    if not file.is_file() or not os.access(file, os.R_OK | os.W_OK):
        raise _unusable(file, "not a readable and writable file")
    try:
        with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as store:
            tables = store.execute("SELECT name FROM sqlite_master").fetchall()
            if ("experiments",) not in tables:
                return
            query = (
                "SELECT experiment_id, lifecycle_stage FROM experiments WHERE name=?"
            )
            found = store.execute(query, (experiment,)).fetchone()
    except sqlite3.OperationalError:  # another process is writing
        return
    except sqlite3.DatabaseError as error:
        raise _unusable(file, f"not a SQLite database: {error}") from error
    if found and found[1] == "deleted":
        raise deleted(experiment, found[0])


def _unusable(path: Path, problem: str) -> TrackingError:
    return TrackingError(
        str(path),
        f"unusable as tracking store: {problem}",
        expected="a SQLite file, or a path for one, that this user may write",
        fix="correct registry.tracking_uri or MLFLOW_TRACKING_URI, or the permissions",
    )
