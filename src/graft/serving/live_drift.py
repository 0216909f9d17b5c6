"""Drift of live traffic from the champion's training data, for `graft watch`."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graft import io
from graft.config import MonitoringConfig, RegistryConfig
from graft.errors import GraftError, TrackingError
from graft.monitoring.drift.report import DriftReport
from graft.registry.decisions import CHAMPION
from graft.tracking.versions import Versions

if TYPE_CHECKING:
    import pyarrow as pa

    from graft.monitoring.drift.profile import Profile

LOGGER = logging.getLogger("graft.watch")
HOURS = (0.25, 1.0, 4.0, 24.0)
"""How far back the request log is read, until there are rows for a window."""
MOST_CANDIDATES = 1000
"""Rows in the file of candidates."""


@dataclass
class LiveDrift:
    """Compares the last requests with the champion's profile.

    Args:
        notify: receives a document when requests begin to differ.
    """

    registry: RegistryConfig
    monitoring: MonitoringConfig
    notify: Callable[[Mapping[str, Any]], None]
    _profiles: dict[tuple[str, str], "Profile"] = field(
        default_factory=dict, repr=False
    )
    _last_state: str = field(default="", repr=False)

    def analyse(self) -> DriftReport:
        """Analyse the last window once. If it drifted, add its rows to the candidates.

        Raises: GraftError if there is no champion with a profile, or the request log
            cannot be read.
        """
        from graft.monitoring.drift.analysis import analyse

        profile, rows = self._profile(), self._read_log()
        report = analyse(rows, profile, self.monitoring.drift)
        if report.state == "drifted":
            new = self._add_candidates(report, rows)
            if self._last_state != "drifted":
                self.notify(
                    {
                        "event": "drift",
                        "features": [one.feature for one in report.drifted],
                        "requests": report.num_requests,
                        "new_candidates": new,
                    }
                )
        self._last_state = report.state
        return report

    def _add_candidates(self, report: DriftReport, rows: "pa.Table") -> int:
        """Their number. An error of their file is logged: drift is known all the
        same."""
        if not self.monitoring.request_log.texts:
            return 0
        try:
            return add_candidates(Path(self.monitoring.watch.candidates), report, rows)
        except GraftError as error:
            LOGGER.warning("candidates: %s", error)
            return 0

    def _profile(self) -> "Profile":
        """Of the champion; it is fetched once."""
        from graft.monitoring.drift.registered import fetch_profile

        versions = Versions(self.registry)
        champion = versions.holder(CHAMPION)
        if champion is None:
            raise TrackingError(
                f"{self.registry.name}@{CHAMPION}",
                "there is no champion, with whose training data requests are compared",
                fix="graft promote VERSION",
            )
        key = (champion.version, champion.run_id)
        if key not in self._profiles:
            self._profiles = {key: fetch_profile(versions, champion)}
        return self._profiles[key]

    def _read_log(self) -> "pa.Table":
        """Rows for a window, or all of a day if they are fewer."""
        from graft.monitoring.drift.analysis import thin
        from graft.monitoring.request_log import read_rows

        drift = self.monitoring.drift
        folder = Path(self.monitoring.request_log.folder or "")
        for hours in HOURS:
            since_ms = round(1000 * (time.time() - 3600 * hours))
            rows = thin(read_rows(folder, since_ms=since_ms), drift.take_every)
            if rows.num_rows >= drift.window_requests:
                break
        return rows


def add_candidates(path: Path, report: DriftReport, rows: "pa.Table") -> int:
    """Add the rows that drifted most to a file, until it has `MOST_CANDIDATES`. What is
    in the file stays, as people write answers to it.

    Args:
        report: of these rows.
    Returns: how many were added. Raises: StorageError; DataError for a broken line.
    """
    from graft.monitoring.drift.text import moved_rows

    present: Sequence[Any] = []
    if path.exists():
        present = [row for _, row in io.read_json_lines(path)]
    known = {row.get("prompt") for row in present if isinstance(row, dict)}
    moved = moved_rows(report, rows, MOST_CANDIDATES)
    new = [row for row in moved if row["prompt"] not in known]
    new = new[: max(0, MOST_CANDIDATES - len(present))]
    if new:
        io.write_json_lines(path, [*present, *new])
    return len(new)
