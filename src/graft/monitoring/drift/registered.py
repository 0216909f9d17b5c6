"""The profile of a registered version."""

import tempfile
from pathlib import Path

from graft.errors import DataError
from graft.evaluation.outputs import DRIFT
from graft.monitoring.drift.profile import FILE, Profile, read_profile
from graft.tracking.versions import RegisteredVersion, Versions


def fetch_profile(versions: Versions, version: RegisteredVersion) -> Profile:
    """Raises: DataError if the version has none; TrackingError if the store does not
    respond."""
    with tempfile.TemporaryDirectory() as folder:
        path = versions.store.fetch(version.run_id, f"{DRIFT}/{FILE}", Path(folder))
        if path is not None:
            return read_profile(path)
    raise DataError(
        version.address,
        f"its run has no artifact {DRIFT}/{FILE}",
        expected="a version that was registered with a profile of its training data",
        fix="run dvc repro evaluate, which adds it",
    )
