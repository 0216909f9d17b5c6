"""Registered versions in a SQLite store, read without MLflow, whose import takes
seconds and 200 MiB."""

import shutil
import sqlite3
from collections import defaultdict
from contextlib import closing
from pathlib import Path
from urllib.parse import unquote, urlparse

from graft.config import RegistryConfig
from graft.errors import TrackingError
from graft.tracking.moved import follow_artifacts
from graft.tracking.place import alone, sqlite_file, tracking_uri
from graft.tracking.store import first_line
from graft.tracking.versions import ReadableVersions, RegisteredVersion, Versions

_COLUMNS = "version, run_id, creation_time, storage_location, source"
_DELETED = "Deleted_Internal"
"""MLflow's stage of a deleted version."""


def open_versions(registry: RegistryConfig) -> ReadableVersions:
    """The versions of `registry.name`, without MLflow if the store is a SQLite file
    whose artifacts are on this machine.

    Raises: TrackingError if the store does not respond.
    """
    uri = tracking_uri(registry, Path.cwd())
    file = sqlite_file(uri)
    if file is not None and file.is_file():
        with alone(uri):
            follow_artifacts(uri)
        local = LocalVersions(registry.name, file)
        try:
            if local.are_local:
                return local
        except TrackingError:  # of another version of MLflow, which may update it
            pass
    return Versions(registry)


class LocalVersions(ReadableVersions):
    """The versions of one registered model.

    Args:
        name: of the model.
        file: of the store, which is only read.
    """

    def __init__(self, name: str, file: Path) -> None:
        super().__init__(name)
        self._file = file
        self._folders: dict[str, Path | None] = {}

    @property
    def are_local(self) -> bool:
        """Whether all versions have folders on this machine, and there is one."""
        return bool(self.all()) and None not in self._folders.values()

    def all(self) -> list[RegisteredVersion]:
        """All versions, the oldest first. Raises: TrackingError if it is unreadable."""
        try:
            with closing(self._connect()) as store:
                return self._read(store)
        except sqlite3.Error as error:
            raise TrackingError(
                str(self._file),
                f"the query failed: {first_line(error)}",
                expected="MLflow's tracking store",
                fix="set registry.tracking_uri to where the pipeline ran",
            ) from error

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(f"{self._file.as_uri()}?mode=ro", timeout=30, uri=True)

    def _read(self, store: sqlite3.Connection) -> list[RegisteredVersion]:
        aliases: dict[str, list[str]] = defaultdict(list)
        tags: dict[str, dict[str, str]] = defaultdict(dict)
        own = (self.name,)
        for alias, version in store.execute(
            "SELECT alias, version FROM registered_model_aliases WHERE name = ?", own
        ):
            aliases[str(version)].append(alias)
        for version, key, value in store.execute(
            "SELECT version, key, value FROM model_version_tags WHERE name = ?", own
        ):
            tags[str(version)][key] = value
        found = store.execute(
            f"SELECT {_COLUMNS} FROM model_versions "
            "WHERE name = ? AND current_stage != ? ORDER BY version",
            (self.name, _DELETED),
        )
        rows = [(str(number), *others) for number, *others in found]
        self._folders = {n: to_folder(place or source) for n, *_, place, source in rows}
        return [
            RegisteredVersion(
                name=self.name,
                version=number,
                run_id=run_id,
                aliases=tuple(sorted(aliases[number])),
                tags=tags[number],
                created_ms=created,
            )
            for number, run_id, created, _, _ in rows
        ]

    def fetch_model(self, version: RegisteredVersion, out: Path) -> Path:
        """Copy the complete registered model to `out`. Returns: its folder."""
        folder = self._folders.get(version.version)
        if folder is None or not folder.is_dir():
            raise TrackingError(
                version.address,
                f"its files are not at {folder}",
                expected="the folder mlartifacts beside the store's file",
                fix="copy it there, too",
            )
        return Path(shutil.copytree(folder, out, dirs_exist_ok=True))


def to_folder(address: str) -> Path | None:
    """The folder of an artifact's address; None if it is not on this machine."""
    parts = urlparse(address)
    if parts.scheme == "file" and parts.netloc in ("", "localhost"):
        return Path(unquote(parts.path))
    return Path(address) if address.startswith("/") else None
