"""What the store has of a version: predictions, costs, provenance."""

import getpass
import os
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from graft.errors import TrackingError
from graft.evaluation.digests import digest_answers
from graft.evaluation.predictions import read_predictions
from graft.inference.generated import TABLE
from graft.registry.candidate import Candidate
from graft.registry.decisions import Decision
from graft.registry.log import DecisionLog
from graft.tracking.versions import RegisteredVersion

PREDICTIONS = "predictions"
"""Artifact folder of a run, logged by the stage evaluate."""
PROVENANCE = ("dvc.lock", "template_hash", "signature")
"""Tags of a version that a decision records, if it has them."""


def start_decision(
    log: DecisionLog,
    version: RegisteredVersion,
    champion: RegisteredVersion | None,
    via: str,
    reason: str,
) -> Decision:
    """A decision on a version, with who, when and the provenance of the version."""
    _, tags = log.versions.measured(version)
    found: dict[str, str | None] = {name: version.tags.get(name) for name in PROVENANCE}
    found["git.commit"] = tags.get("git.commit")
    return Decision(
        action="refuse",
        model=version.name,
        from_version=champion.version if champion else None,
        to_version=version.version,
        at=datetime.now(UTC).isoformat(timespec="milliseconds"),
        by=user(os.environ),
        via=via,
        reason=reason,
        provenance={name: value for name, value in found.items() if value},
    )


def user(environment: Mapping[str, str]) -> str:
    """The user of the tracking server, or else of this machine."""
    if name := environment.get("MLFLOW_TRACKING_USERNAME"):
        return name
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return f"user {os.getuid()}"


def load_candidate(log: DecisionLog, version: RegisteredVersion) -> Candidate:
    """A version with the predictions and costs of its run.

    Raises: TrackingError if the run has no predictions, or has those of a later
        evaluation.
    """
    metrics, tags = log.versions.measured(version)
    with tempfile.TemporaryDirectory() as folder:
        store = log.versions.store
        place = f"{PREDICTIONS}/{TABLE}"
        table = store.fetch(version.run_id, place, Path(folder))
        predictions = read_predictions(table) if table else []
    expected = version.tags.get("answers")
    if not predictions or expected not in (None, digest_answers(predictions)):
        raise TrackingError(
            version.address,
            (
                "its run has predictions of a later evaluation"
                if predictions
                else "its run has no predictions"
            ),
            expected="the predictions that the stage evaluate logged",
            fix="evaluate it again: dvc repro -s -f evaluate; or, if it is the "
            "champion, "
            "graft promote --regenerate",
        )
    return Candidate(
        version.version, predictions, version.tags, metrics, tags.get("device", "")
    )
