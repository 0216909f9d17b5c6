"""Copies the shards of the request log to a remote."""

from pathlib import Path
from typing import Protocol

from graft.monitoring.request_log.merging import replacements
from graft.monitoring.request_log.shard import list_shards


class Remote(Protocol):
    """A folder elsewhere; see `graft.cloud.remote_folder`."""

    def names(self) -> set[str]:
        """Of the files that are there."""

    def put(self, file: Path) -> None:
        """Copy a file there."""

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""


class ShardCopier:
    """Makes the remote contain each shard of a folder, and none that was replaced.

    What the retention removes from the folder stays on the remote.
    """

    def __init__(self, folder: Path, remote: Remote) -> None:
        self._folder, self._remote = folder, remote
        self._names: set[str] | None = None

    @property
    def names(self) -> frozenset[str]:
        """Of files that are known to be on the remote."""
        return frozenset(self._names or ())

    def copy(self) -> None:
        """Copy what is missing, then remove what was replaced.

        Raises: StorageError if the remote fails; what is copied counts the next time.
        """
        if self._names is None:
            self._names = self._remote.names()
        for shard in list_shards(self._folder):
            if shard.name not in self._names:
                try:
                    self._remote.put(self._folder / shard.name)
                except FileNotFoundError:  # merged or removed meanwhile
                    continue
                self._names.add(shard.name)
        for merged, replaced in replacements(self._folder).items():
            if merged in self._names:
                for name in self._names.intersection(replaced):
                    self._remote.remove(name)
                    self._names.discard(name)
