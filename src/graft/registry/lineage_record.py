"""Writing the lineage of a version, as stage evaluate registers it."""

import hashlib
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from graft import io
from graft.cloud.data import remote_address
from graft.config.params import PARAMS
from graft.evaluation.facts import Facts
from graft.evaluation.outputs import to_metrics
from graft.evaluation.scoring import SYSTEMS, to_report
from graft.registry.bill_of_materials import to_bill
from graft.registry.lineage import (
    BILL,
    DOCUMENT,
    EVALUATIONS,
    FOLDER,
    LOCK,
    OUTPUTS,
    PARAMETERS,
    SCHEMA_VERSION,
    STAGE,
    Lineage,
    to_outputs,
)
from graft.tracking.place import changed_files, code_tags, lock_digest

if TYPE_CHECKING:
    from graft.tracking import Run

PIPELINE, PROCESSORS = "dvc.yaml", Path("/proc/cpuinfo")
DATA_OF_STAGES = ("data/converted", "data/clean", "data/tokenized", "data/splits")
TEST_SPLIT = "data/splits/test"


def log_lineage(
    tracked: "Run", facts: Facts, adapter: Path, evaluation: str, journals: Path
) -> Lineage:
    """Write the lineage and the bill of materials, and log them to the run.

    They are written to a folder beside the run's journal, since artifacts must stay on
    disk until the tracking store has them.

    Args:
        tracked: the run.
        facts: of the evaluation.
        adapter: its folder.
        evaluation: key of the evaluation for which the version is registered.
        journals: folder of the journals.
    """
    found = collect_lineage(facts, tracked.run_id, evaluation, Path())
    folder = journals / f"{FOLDER}-{tracked.run_id}"
    io.write_json(folder / DOCUMENT, found)
    io.write_json(folder / EVALUATIONS / f"{evaluation}.json", found)
    io.write_json(folder / BILL, to_bill(found, adapter, to_metrics(facts)))
    for name in (LOCK, PARAMETERS):
        if Path(name).is_file():
            shutil.copyfile(name, folder / name)
    for path in uncached_outputs(Path(PIPELINE)) & {one.path for one in found.outputs}:
        copy = folder / OUTPUTS / path
        copy.parent.mkdir(parents=True, exist_ok=True)
        if Path(path).is_file():
            shutil.copyfile(path, copy)
    tracked.log_artifact(folder, FOLDER)
    log_data(tracked, found, facts)
    return found


def log_data(tracked: "Run", lineage: Lineage, facts: Facts) -> None:
    """Log the data as inputs of the run: sources and examples with DVC's md5, and the
    test split that was scored."""
    for one in lineage.outputs:
        is_source = not one.stage and one.path.startswith("data/")
        if one.md5 and (is_source or one.path in DATA_OF_STAGES):
            place, context = one.address or one.path, one.stage or "source"
            tracked.log_dataset(one.path, place, one.md5, context)
    name, digest = f"{facts.data['name']}-test", facts.digests["test split"]
    tracked.log_dataset(name, TEST_SPLIT, digest, "test")


def collect_lineage(facts: Facts, run: str, evaluation: str, root: Path) -> Lineage:
    """The lineage of an evaluated adapter in the repository `root`."""
    tags, lock = code_tags(), _read_yaml(root / LOCK)
    remote = remote_address(root)
    record, report = facts.record, to_report(facts.scores)
    return Lineage(
        schema_version=SCHEMA_VERSION,
        model=facts.name,
        evaluation=evaluation,
        run=run,
        commit=tags.get("git.commit", ""),
        changes=tuple(changed_files()),
        experiment=tags.get("dvc.experiment", ""),
        is_tracked="DVC_STAGE" in os.environ,
        evaluation_code=_md5(root / "data/code" / STAGE),
        base=record.base_path,
        base_revision=record.base_revision,
        template_hash=record.template_hash,
        adapter=facts.digests["adapter"],
        training=record.machine,
        device=facts.generated.device,
        processor=processor_name(),
        versions=facts.generated.versions,
        scores={system: report[system] for system in SYSTEMS},
        remote=remote,
        lock=lock,
        lock_digest=lock_digest(lock, STAGE),
        params=_read_yaml(root / PARAMS),
        outputs=tuple(to_outputs(lock, remote, uncached_outputs(root / PIPELINE))),
    )


def processor_name(processors: Path = PROCESSORS) -> str:
    """The model of this machine's processor; empty if it is unknown."""
    if not processors.is_file():
        return ""
    lines = processors.read_text("utf-8", errors="replace").splitlines()
    names = (line.partition(":")[2] for line in lines if line.startswith("model name"))
    return next(names, "").strip()


def _md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes()).hexdigest() if path.is_file() else ""


def uncached_outputs(pipeline: Path) -> frozenset[str]:
    """Outputs that DVC does not store (`cache: false`), since git does."""
    stages = _read_yaml(pipeline).get("stages", {})
    return frozenset(
        path
        for stage in stages.values()
        for kind in ("outs", "metrics", "plots")
        for item in stage.get(kind, ())
        if isinstance(item, dict)
        for path, options in item.items()
        if (options or {}).get("cache") is False
    )


def _read_yaml(path: Path) -> dict[str, Any]:
    return (yaml.safe_load(path.read_bytes()) or {}) if path.is_file() else {}
