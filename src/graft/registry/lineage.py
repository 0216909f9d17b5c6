"""Lineage of a registered version: one document that answers what made it.

It contains the complete dvc.lock and the parameters, so it answers even where the
commit was amended away and the run was deleted.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from graft import io
from graft.errors import DataError
from graft.tracking.place import AFTER_REGISTRATION

SCHEMA_VERSION = 1
FOLDER = "lineage"
"""Artifact folder of the run."""
DOCUMENT, LOCK, PARAMETERS, BILL = (
    "lineage.json",
    "dvc.lock",
    "params.yaml",
    "sbom.cdx.json",
)
"""Files in it; they are those of the run's last evaluation."""
EVALUATIONS = "evaluations"
"""Folder in it with the document of each evaluation, EVALUATION.json: a run that is
evaluated again with other settings registers another version."""
OUTPUTS = "outputs"
"""Folder in it with the outputs that git stores, not DVC."""
STAGE = "evaluate"
"""The stage that registers. DVC writes it into dvc.lock only at its end."""
OUTDATED = (STAGE, AFTER_REGISTRATION)
"""Stages whose entry in dvc.lock is not that of the version."""


@dataclass(frozen=True)
class DataOutput:
    """A file or folder of the pipeline.

    Attributes:
        stage: the stage that wrote it; empty for a source.
        md5: DVC's, which ends in `.dir` for a folder.
        size: in bytes.
        num_files: of a folder; 1 for a file.
        address: in the DVC remote; empty if there is none, or git stores the file.
    """

    stage: str
    path: str
    md5: str
    size: int
    num_files: int
    address: str


@dataclass(frozen=True)
class Lineage:
    """What a registered version was made of.

    Attributes:
        schema_version: of this document.
        model: name of the registered model.
        evaluation: key of the evaluation for which the version was registered.
        run: graft's key of the run, its tag `graft.run`.
        commit: git commit at registration; empty outside of git.
        changes: files that differed from the commit.
        experiment: name of the DVC experiment, or empty.
        is_tracked: whether DVC ran the stage; otherwise `lock` may be out of date.
        evaluation_code: md5 of the digest of evaluate's code; its entry in `lock` is
            that of an earlier evaluation.
        base: the base model's path or Hub id.
        adapter: digest of the adapter's weights.
        training: device, memory_gib and seconds of the training.
        device: the device that generated the predictions.
        processor: model of the processor that evaluated them; empty if unknown.
        versions: of Python and the libraries that generated them.
        scores: values by system (base, tuned, difference) and metric.
        remote: address of the DVC remote without credentials, or empty.
        lock: dvc.lock.
        lock_digest: of `lock` without the stages evaluate and certify, the tag
            `dvc.lock`.
        params: params.yaml.
        outputs: sources, and outputs of the stages.
    """

    schema_version: int
    model: str
    evaluation: str
    run: str
    commit: str
    changes: tuple[str, ...]
    experiment: str
    is_tracked: bool
    evaluation_code: str
    base: str
    base_revision: str
    template_hash: str
    adapter: str
    training: Mapping[str, Any]
    device: str
    processor: str
    versions: Mapping[str, str]
    scores: Mapping[str, Mapping[str, float]]
    remote: str
    lock: Mapping[str, Any]
    lock_digest: str
    params: Mapping[str, Any]
    outputs: tuple[DataOutput, ...]

    def output(self, path: str) -> DataOutput | None:
        """The output at a path of the pipeline, if dvc.lock has it."""
        return next((one for one in self.outputs if one.path == path), None)

    @property
    def uncommitted(self) -> tuple[str, ...]:
        """Changed files that neither this document contains nor a stage wrote."""
        stages = self.lock.get("stages", {}).values()
        outs = {out["path"] for facts in stages for out in facts.get("outs", ())}
        known = {LOCK, PARAMETERS, *outs}
        return tuple(path for path in self.changes if path not in known)

    @property
    def code(self) -> Mapping[str, str]:
        """md5 of the digest of each stage's code, by stage."""
        found = {
            name: dep["md5"]
            for name, facts in self.lock.get("stages", {}).items()
            for dep in facts.get("deps", ())
            if dep["path"] == f"data/code/{name}" and "md5" in dep
            if name not in OUTDATED
        }
        own = {STAGE: self.evaluation_code} if self.evaluation_code else {}
        return found | own


def to_outputs(
    lock: Mapping[str, Any], remote: str, in_git: frozenset[str]
) -> Iterator[DataOutput]:
    """Sources and outputs of dvc.lock, in the order of its stages.

    Args:
        lock: the content of dvc.lock.
        scores: values by system (base, tuned, difference) and metric.
        remote: address of the DVC remote, or empty.
        in_git: paths that DVC does not store.
    """
    stages = lock.get("stages", {})
    made = {out["path"] for facts in stages.values() for out in facts.get("outs", ())}
    seen: set[str] = set()
    for name, facts in stages.items():
        if name in OUTDATED:
            continue
        sources = [
            dep
            for dep in facts.get("deps", ())
            if dep["path"] not in made and not _is_inside(dep["path"], made)
        ]
        for stage, items in (("", sources), (name, facts.get("outs", ()))):
            for item in items:
                path, md5 = item["path"], item.get("md5", "")
                if path in seen:
                    continue
                seen.add(path)
                has_address = remote and stage and md5 and path not in in_git
                yield DataOutput(
                    stage=stage,
                    path=path,
                    md5=md5,
                    size=item.get("size", 0),
                    num_files=item.get("nfiles", 1),
                    address=to_address(remote, md5) if has_address else "",
                )


def to_address(remote: str, md5: str) -> str:
    """The address of an md5 in a DVC remote (DVC 3: files/md5/XX/REST)."""
    return f"{remote.rstrip('/')}/files/md5/{md5[:2]}/{md5[2:]}"


def read_lineage(path: Path) -> Lineage:
    """Read a document.

    Raises: DataError if it is not valid, or of a later schema version.
    """
    values = io.read_json(path)
    version = values.get("schema_version") if isinstance(values, dict) else None
    if version != SCHEMA_VERSION:
        raise DataError(
            str(path),
            f"lineage of schema version {version}",
            expected=f"version {SCHEMA_VERSION}",
            fix="install the version of graft that registered it, or a later one",
        )
    try:
        return TypeAdapter(Lineage).validate_python(values)
    except ValidationError as error:
        first = error.errors()[0]
        raise DataError(
            str(path),
            f"{'.'.join(map(str, first['loc']))}: {first['msg']}",
            expected="a document that stage evaluate wrote",
            fix="fetch it again from the run's artifacts",
        ) from error


def _is_inside(path: str, folders: set[str]) -> bool:
    return any(path.startswith(f"{folder}/") for folder in folders)
