"""Reproduction of a registered version in a clean checkout of its commit."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from graft import io
from graft.errors import DataError, ModelError, StorageError
from graft.inference.generated import Generated, read_generated
from graft.models.adapter_record import weights_digest
from graft.registry.lineage import FOLDER, OUTPUTS, Lineage
from graft.registry.lineage_data import Data
from graft.registry.lineage_versions import VersionLineage
from graft.registry.reproduce_checkout import Checkout
from graft.registry.reproduce_comparison import (
    PredictionsComparison,
    compare_predictions,
    compare_scores,
)
from graft.tracking.client import StoreClient

PREDICTIONS, ADAPTER, REPORT = "predictions", "models/adapter", "reports/evaluate.json"
"""Outputs of the pipeline."""


@dataclass(frozen=True)
class Reproduction:
    """What a reproduction gave.

    Attributes:
        version: address of the version.
        commit: the commit whose code ran.
        devices: the version's device, and that of the reproduction.
        tolerance: largest share of completions that may differ.
        predictions: comparison of the predictions.
        scores: scores that differ, with both values.
        adapters: digest of the version's adapter, and of the newly trained one; empty
            if it was not trained again.
        notes: differences of the environments, sentences.
    """

    version: str
    commit: str
    devices: tuple[str, str]
    tolerance: float
    predictions: PredictionsComparison
    scores: dict[str, tuple[float | None, float | None]]
    adapters: tuple[str, ...]
    notes: list[str]

    @property
    def is_equal(self) -> bool:
        """Whether predictions are equal within the tolerance; without a tolerance,
        whether scores and adapters are equal, too."""
        exact = self.tolerance == 0
        same = not self.scores and len({*self.adapters}) <= 1
        return self.predictions.is_within(self.tolerance) and (same or not exact)

    def to_json(self) -> dict[str, Any]:
        """All of it as plain values; `exit_status` is 1 if it is not equal."""
        status = {} if self.is_equal else {"exit_status": 1}
        return asdict(self) | {"is_equal": self.is_equal} | status


class Reproducer:
    """Runs the stages of a version again.

    Args:
        known: the version.
        root: the repository.
        data: DVC's data by md5.
        store: the tracking store; it is only read.
    """

    def __init__(
        self, known: VersionLineage, root: Path, data: Data, store: StoreClient
    ) -> None:
        self._known, self._root = known, root
        self._data, self._store = data, store

    def run(self, folder: Path, trains: bool, tolerance: float) -> Reproduction:
        """Check out, run generate and evaluate (with `trains`, train before them), and
        compare.

        Args:
            folder: an empty folder for the checkout.
            trains: whether to train again.
            tolerance: largest share of completions that may differ if a GPU computed
                one of them, or the devices differ; on the same CPU it is 0.
        Raises: StorageError if the commit or data are missing; ModelError if the code
            is not that of the version, or a stage fails.
        """
        lineage = self._known.lineage
        stages = [*(["train"] if trains else []), "generate", "evaluate"]
        checkout, commit = self._check_out(folder, stages)
        logged = self._logged_predictions(folder / "logged")
        with self._artifacts(f"{FOLDER}/{OUTPUTS}") as files:
            checkout.restore(stages, self._data, files)
        for stage in stages:
            self._run(checkout, stage)
        again = read_generated(checkout.folder / PREDICTIONS)
        devices = (logged.device, again.device)
        is_same_cpu = devices[0] == devices[1] and devices[0].startswith("CPU")
        trained = weights_digest(checkout.folder / ADAPTER) if trains else ""
        return Reproduction(
            version=self._known.version.address,
            commit=commit,
            devices=devices,
            tolerance=0.0 if is_same_cpu else tolerance,
            predictions=compare_predictions(logged, again),
            scores=self._compare_scores(checkout.folder / REPORT),
            adapters=(logged.adapter, trained) if trains else (),
            notes=list(_notes(lineage, logged, again)),
        )

    def _check_out(self, folder: Path, stages: list[str]) -> tuple[Checkout, str]:
        """A checkout with the version's code: of its commit, or of a later one that
        contains its dvc.lock."""
        known, lineage = self._known, self._known.lineage
        recorded = [lineage.commit] if known.commit_state != "missing" else []
        differing: dict[str, list[str]] = {}
        for commit in dict.fromkeys([*recorded, *known.commits[:2]]):
            place = folder / commit[:12]
            checkout = Checkout(place, self._root, commit, lineage)
            differing[commit] = checkout.differing_code(stages)
            if not differing[commit]:
                return checkout, commit
            io.remove(place)
        raise self._no_code(differing)

    def _no_code(self, differing: dict[str, list[str]]) -> StorageError | ModelError:
        """The error if no commit has the version's code."""
        lineage = self._known.lineage
        where = self._known.version.address
        if not differing:
            return StorageError(
                where,
                f"commit {lineage.commit or 'unknown'} is not in this repository, and "
                "no commit has the version's dvc.lock",
                expected="the commit with the code that made the version",
                fix="fetch the branch that has it: git fetch --all --tags; if it was "
                "amended away, only its data are known: graft lineage "
                f"{self._known.version.version}",
            )
        found = ", ".join(f"{c[:12]}: {', '.join(s)}" for c, s in differing.items())
        changes = ", ".join(lineage.uncommitted) or "none recorded"
        return ModelError(
            where,
            f"the committed code is not all that made it ({found}); its uncommitted "
            f"changes ({changes}) are unknown",
            expected="a version that was registered from committed code",
            fix="commit first, then run the pipeline again: dvc repro",
        )

    def _run(self, checkout: Checkout, stage: str) -> None:
        """Raises: ModelError if the stage fails, unless it is evaluate and has written
        its report: then the adapter falls short of its requirements."""
        report = checkout.folder / REPORT
        if stage == "evaluate":
            report.unlink(missing_ok=True)
        if checkout.run(stage) and not (stage == "evaluate" and report.is_file()):
            raise ModelError(
                self._known.version.address,
                f"stage {stage} fails in a clean checkout; its message is above",
                expected="the stages to run as they did when it was registered",
                fix="correct the cause that the message names",
            )

    def _logged_predictions(self, folder: Path) -> Generated:
        """The version's predictions, from DVC or the artifacts of its run.

        Raises: StorageError if both are gone.
        """
        output = self._known.lineage.output(PREDICTIONS)
        if output is not None:
            try:
                return read_generated(self._data.link(output.md5, folder))
            except (StorageError, DataError):
                io.remove(folder)
        with self._artifacts(PREDICTIONS) as found:
            if found is not None:
                return read_generated(found)
        md5 = output.md5 if output else "unknown"
        raise StorageError(
            self._known.version.address,
            f"its predictions (md5 {md5}) are neither in the cache, nor on the remote, "
            "nor among the artifacts of its run",
            expected="the predictions that were evaluated",
            fix="configure the remote to which they were pushed: graft remote",
        )

    def _compare_scores(
        self, report: Path
    ) -> dict[str, tuple[float | None, float | None]]:
        logged = self._known.lineage.scores
        document = io.read_json(report)
        return compare_scores(logged, {name: document[name] for name in logged})

    @contextmanager
    def _artifacts(self, path: str) -> Iterator[Path | None]:
        """A folder of the run's artifacts, if the store has it."""
        version = self._known.version
        with tempfile.TemporaryDirectory() as folder:
            has_run = self._known.has_run
            fetch = self._store.fetch
            yield fetch(version.run_id, path, Path(folder)) if has_run else None


def _notes(lineage: Lineage, logged: Generated, again: Generated) -> Iterator[str]:
    """Differences of the environments."""
    from graft.registry.lineage_record import processor_name

    if logged.device != again.device:
        yield f"other device: {again.device}, not {logged.device}"
    here = processor_name()
    if lineage.processor and here != lineage.processor:
        yield f"other processor: {here or 'unknown'}, not {lineage.processor}"
    for name, version in logged.versions.items():
        if (now := again.versions.get(name)) != version:
            yield f"other {name}: {now}, not {version}"
    if not lineage.scores:
        yield "the version's scores are not known, so only predictions were compared"
