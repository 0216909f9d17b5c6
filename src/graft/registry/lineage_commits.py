"""Commits of the repository, and those that contain a version's dvc.lock."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import yaml

from graft.errors import StorageError
from graft.process.programs import run_program
from graft.registry.lineage import LOCK, STAGE
from graft.tracking.place import lock_digest

CommitState = Literal["present", "unreachable", "missing"]
"""present: on a branch, tag or experiment, or checked out; unreachable: amended or
rebased away, but not yet removed."""


class Commits:
    """The git history of a repository.

    Args:
        root: its root. Outside of git there are no commits.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._locks: dict[str, tuple[Mapping[str, Any], list[str]]] | None = None

    def state(self, commit: str) -> CommitState:
        """Whether a commit is in this repository.

        One that was amended or rebased away is in no new clone, and in this repository
        only until git removes it.
        """
        try:
            self._git("cat-file", "-e", f"{commit}^{{commit}}")
        except StorageError:
            return "missing"
        refs = self._git("for-each-ref", "--count=1", "--contains", commit)
        if refs or self._is_ancestor(commit):
            return "present"
        return "unreachable"

    def _is_ancestor(self, commit: str) -> bool:
        try:
            self._git("merge-base", "--is-ancestor", commit, "HEAD")
        except StorageError:
            return False
        return True

    def with_lock(self, digest: str) -> tuple[Mapping[str, Any], list[str]]:
        """The dvc.lock of a digest, and the commits with it, latest first; both empty
        if no branch, tag or experiment has such a commit."""
        if self._locks is None:
            self._locks = {}
            blobs: dict[str, list[str]] = {}
            for commit, blob in self._revisions():
                blobs.setdefault(blob, []).append(commit)
            for blob, commits in blobs.items():
                lock = _parse(self._git("cat-file", "blob", blob))
                known = self._locks.setdefault(lock_digest(lock, STAGE), (lock, []))
                known[1].extend(commits)
        return self._locks.get(digest, ({}, []))

    def _revisions(self) -> Iterator[tuple[str, str]]:
        """Each commit that changed dvc.lock, and the object with its content."""
        try:
            lines = self._git(
                *("log", "--all", "--format=%H", "--raw", "--no-abbrev", "-m"),
                *("--no-renames", "--", LOCK),
            )
        except StorageError:  # not under git, or no commit yet
            return
        commit = ""
        for line in lines.splitlines():
            if line.startswith(":"):
                blob = line.split()[3]
                if blob.strip("0"):
                    yield commit, blob
            elif line:
                commit = line

    def _git(self, *words: str) -> str:
        return run_program("git", *words, folder=self._root)


def _parse(text: str) -> dict[str, Any]:
    """A dvc.lock; empty if an earlier one is not valid."""
    try:
        found = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError:
        return {}
    return found if isinstance(found, dict) else {}
