"""Checkpoints on a remote, such as S3, from which another machine can resume.

`REMOTE/KEY/training-000/step-000123/` has the files of a checkpoint, and a manifest
with their digests. The manifest is written last and removed first: a checkpoint without
one is not whole, and is not used.
"""

import hashlib
import re
import sys
import tempfile
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Protocol

from graft import io
from graft.errors import DataError, GraftError

FINISHED, MANIFEST, STARTED = "finished", "manifest.json", "started"
_NAME = re.compile(r"[\w-]+(\.(safetensors|json|jsonl|sent\.json))?")


class Remote(Protocol):
    """A folder elsewhere; see `graft.cloud.remote_folder`."""

    address: str

    def names(self, folder: str = "") -> set[str]:
        """Of the files and folders in it, or in a folder in it."""

    def put(self, file: Path, name: str = "") -> None:
        """Copy a file there."""

    def fetch(self, name: str, out: Path) -> None:
        """Copy a file from there."""

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""


class RemoteCheckpoints:
    """The checkpoints of one training on a remote. All methods raise StorageError if
    it cannot be used.

    Args:
        remote: folder of all trainings.
        training: KEY/training-NNN.
    """

    def __init__(self, remote: Remote, training: str) -> None:
        self._remote, self._training = remote, training

    def start(self) -> None:
        """Write a marker, which fails now if the remote cannot be written."""
        self._mark(STARTED)

    def upload(self, checkpoint: Path, goes_on: Callable[[], bool]) -> bool:
        """Copy a checkpoint. `goes_on`: asked before each file. Returns: whether the
        copy is whole."""
        files = sorted(path for path in checkpoint.iterdir() if path.name != MANIFEST)
        for file in files:
            if not goes_on():
                return False
            self._remote.put(file, self._path(checkpoint.name, file.name))
        manifest = {file.name: _digest(file) for file in files}
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / MANIFEST
            io.write_json(path, manifest)
            self._remote.put(path, self._path(checkpoint.name, MANIFEST))
        return True

    def fetch_last(self, folder: Path, newest: int) -> None:
        """Copy the last whole checkpoint to the folder, and the best one before it,
        unless the folder has a checkpoint that is at least as new.

        Args:
            folder: of this training on this machine.
            newest: step of the last checkpoint in it; -1 without one.
        """
        for name in sorted(self._steps(), reverse=True):
            if int(name.removeprefix("step-")) <= newest:
                return
            try:
                best = self._fetch(name, folder)
                if best not in ("step-000000", name) and not (folder / best).is_dir():
                    self._fetch(best, folder)
            except DataError as error:
                io.remove(folder / name)
                print(f"warning: not used: {error}", file=sys.stderr)
                continue
            for journal in (folder / name).glob("journal*"):
                if not (folder / "journal.jsonl").exists() or "sent" in journal.name:
                    journal.rename(folder / journal.name)
            print(f"train: {name} is from {self._remote.address}", file=sys.stderr)
            return

    def prune(self, kept: Collection[str]) -> None:
        """Remove all other checkpoints, whole or not."""
        for name in self._steps() - set(kept):
            files = self._remote.names(self._path(name))
            for file in sorted(files, key=lambda file: file != MANIFEST):
                self._remote.remove(self._path(name, file))

    def finish(self) -> None:
        """Mark the training as finished, and remove its checkpoints."""
        self._mark(FINISHED)
        self.prune(())

    def _steps(self) -> set[str]:
        found = self._remote.names(self._training)
        return {name for name in found if re.fullmatch(r"step-\d{6,}", name)}

    def _fetch(self, name: str, folder: Path) -> str:
        """Copy and verify a checkpoint; returns the name of the best one at its time.

        Raises: DataError if it is not whole.
        """
        if MANIFEST not in self._remote.names(self._path(name)):
            raise self._broken(name, "was not copied to its end")
        with io.atomic(folder / name) as partial:
            partial.mkdir()
            self._remote.fetch(self._path(name, MANIFEST), partial / MANIFEST)
            manifest = io.read_json(partial / MANIFEST)
            for file, digest in manifest.items():
                if not _NAME.fullmatch(file):
                    raise self._broken(name, f"contains {file!r}")
                try:
                    self._remote.fetch(self._path(name, file), partial / file)
                except GraftError as error:
                    if file in self._remote.names(self._path(name)):
                        raise
                    raise self._broken(name, f"lacks {file}") from error
                if _digest(partial / file) != digest:
                    raise self._broken(name, f"{file} has other bytes than written")
            (partial / MANIFEST).unlink()
            best = int(io.read_json(partial / "progress.json")["best_step"])
        return f"step-{best:06d}"

    def _broken(self, name: str, problem: str) -> DataError:
        return DataError(f"{self._remote.address}/{self._path(name)}", problem)

    def _mark(self, name: str) -> None:
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / name).write_text("", encoding="utf-8")
            self._remote.put(Path(folder) / name, self._path(name))

    def _path(self, *names: str) -> str:
        return "/".join((self._training, *names))


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
