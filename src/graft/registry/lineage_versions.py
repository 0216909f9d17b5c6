"""The lineage of registered versions, as far as it is still known."""

import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from graft.errors import DataError, TrackingError
from graft.registry.lineage import (
    DOCUMENT,
    EVALUATIONS,
    FOLDER,
    Lineage,
    read_lineage,
    to_outputs,
)
from graft.registry.lineage_commits import Commits, CommitState
from graft.tracking.registering import EVALUATION_TAG
from graft.tracking.sender import RUN_TAG
from graft.tracking.versions import RegisteredVersion, Versions


@dataclass(frozen=True)
class VersionLineage:
    """What is known of a version.

    Attributes:
        version: the version.
        lineage: its document, or one rebuilt from tags and git, with empty fields.
        problem: why it was rebuilt; empty if it is the document.
        has_run: whether the tracking store still has the run.
        commit_state: whether the repository has the commit.
        commits: commits with the version's dvc.lock, latest first.
    """

    version: RegisteredVersion
    lineage: Lineage
    problem: str
    has_run: bool
    commit_state: CommitState
    commits: list[str]

    def to_json(self) -> dict[str, Any]:
        """All of it as plain values."""
        values = asdict(self)
        values["lineage"]["uncommitted"] = self.lineage.uncommitted
        return values


class Lineages:
    """The lineages of the versions of a registered model.

    Args:
        versions: the model in the tracking store.
        commits: of the repository.
    """

    def __init__(self, versions: Versions, commits: Commits) -> None:
        self._versions, self._commits = versions, commits

    def all(self) -> list[VersionLineage]:
        """Those of all versions, the oldest first."""
        return [self.of(version) for version in self._versions.all()]

    def find(self, reference: str) -> VersionLineage:
        """That of a version. Raises: TrackingError if there is none."""
        return self.of(self._versions.find(reference))

    def of(self, version: RegisteredVersion) -> VersionLineage:
        """The lineage of a version, whatever was lost since."""
        tags = self._versions.store.run_tags(version.run_id)
        try:
            lineage, problem = self._read(version, tags is not None), ""
        except (DataError, TrackingError) as error:
            lineage, problem = self._rebuild(version, tags or {}), error.problem
        return VersionLineage(
            version=version,
            lineage=lineage,
            problem=problem,
            has_run=tags is not None,
            commit_state=self._commits.state(lineage.commit),
            commits=self._commits.with_lock(lineage.lock_digest)[1],
        )

    def _read(self, version: RegisteredVersion, has_run: bool) -> Lineage:
        """Raises: DataError or TrackingError if the store has no valid document."""
        if not has_run:
            raise DataError(version.run_id, "the tracking store no longer has its run")
        key = version.tags.get(EVALUATION_TAG, "").rpartition("-")[2]
        store = self._versions.store
        with tempfile.TemporaryDirectory() as folder:
            for name in (f"{EVALUATIONS}/{key}.json", DOCUMENT):
                path = store.fetch(version.run_id, f"{FOLDER}/{name}", Path(folder))
                if path is not None:
                    found = read_lineage(path)
                    if found.evaluation == key:
                        return found
        raise DataError(version.run_id, f"its run has no artifact {FOLDER}/{DOCUMENT}")

    def _rebuild(
        self, version: RegisteredVersion, run_tags: Mapping[str, str]
    ) -> Lineage:
        """What tags of the version and its run tell, and a commit with its dvc.lock."""
        tags = version.tags
        digest = tags.get("dvc.lock", "")
        lock = self._commits.with_lock(digest)[0]
        base, _, revision = tags.get("base", "").rpartition("@")
        run, _, evaluation = tags.get(EVALUATION_TAG, "").rpartition("-")
        dirty = run_tags.get("git.dirty") == "true"
        return Lineage(
            schema_version=0,
            model=version.name,
            evaluation=evaluation,
            run=run_tags.get(RUN_TAG, run),
            commit=run_tags.get("git.commit", ""),
            changes=("unknown files",) if dirty else (),
            experiment=run_tags.get("dvc.experiment", ""),
            is_tracked=bool(digest),
            evaluation_code="",
            base=base,
            base_revision=revision,
            template_hash=tags.get("template_hash", ""),
            adapter="",
            training={},
            device=run_tags.get("device", ""),
            processor="",
            versions={},
            scores={},
            remote="",
            lock=lock,
            lock_digest=digest,
            params={},
            outputs=tuple(to_outputs(lock, "", frozenset())),
        )
