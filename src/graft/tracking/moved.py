"""A SQLite store that was moved or copied together with its artifacts.

MLflow stores absolute addresses of artifacts. After a move they are invalid, and in a
copy they refer to the original.
"""

import sqlite3
from contextlib import ExitStack, closing
from pathlib import Path

from graft.tracking.place import ARTIFACTS, artifact_location, sqlite_file

_ADDRESSES = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)


def follow_artifacts(uri: str) -> None:
    """Correct the addresses of artifacts that are stored beside a SQLite file."""
    here, file = artifact_location(uri), sqlite_file(uri)
    if here is None or file is None or not file.is_file():
        return
    with ExitStack() as stack:
        store = stack.enter_context(closing(sqlite3.connect(file, timeout=30)))
        stack.enter_context(store)  # commits
        tables = {row[0] for row in store.execute("SELECT name FROM sqlite_master")}
        if "experiments" not in tables:
            return
        found = store.execute("SELECT DISTINCT artifact_location FROM experiments")
        for (there,) in found.fetchall():
            if there and there != here and Path(there).name == ARTIFACTS:
                for table, column in _ADDRESSES:
                    if table in tables:
                        store.execute(
                            f"UPDATE {table} SET {column} = ? || substr({column}, ?) "
                            f"WHERE {column} = ? OR substr({column}, 1, ?) = ?",
                            (here, len(there) + 1, there, len(there) + 1, f"{there}/"),
                        )
