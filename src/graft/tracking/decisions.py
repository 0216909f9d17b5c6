"""The decision log of a registered model: JSON Lines in a run of its own."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from graft.config import RegistryConfig
from graft.tracking.client import StoreClient

LOG = "decisions.jsonl"
"""Artifact with one decision a line, the oldest first."""
NAME_TAG, COUNT_TAG = "graft.decisions", "graft.decisions.count"
"""Tags of the run: name of the model, and number of decisions that took effect."""


@dataclass(frozen=True)
class LogState:
    """What the log contains.

    Args:
        run_id: of its run; empty before the first decision.
        lines: of the decisions that took effect.
        pending: a line that was written, while its effect may be missing.
    """

    run_id: str
    lines: Sequence[str]
    pending: str = ""

    @property
    def number(self) -> int:
        """Number of the next decision, from 0."""
        return len(self.lines)


class DecisionStore:
    """Reads and writes the log. A writer must hold the claim of the next number.

    A decision is written first, then takes effect, then is counted. After a crash the
    next writer finds it written and not counted, and repeats its effect.
    """

    def __init__(self, registry: RegistryConfig, store: StoreClient) -> None:
        self._name, self._store = registry.name, store
        with store.querying():
            found = store.client.get_experiment_by_name(registry.experiment)
        if found is None:
            raise store.not_found(f"it has no experiment {registry.experiment}")
        self._experiment = found.experiment_id

    def read(self) -> LogState:
        """The present state."""
        condition = f"tags.`{NAME_TAG}` = '{self._name}'"
        with self._store.querying():
            runs = self._store.client.search_runs(
                [self._experiment], condition, order_by=["attributes.start_time ASC"]
            )
        if not runs:
            return LogState("", ())
        run = runs[0]
        lines = self._read_lines(run.info.run_id)
        count = int(run.data.tags.get(COUNT_TAG, 0))
        if len(lines) < count or len(lines) > count + 1:
            raise self._store.not_found(
                f"{LOG} of run {run.info.run_id} has {len(lines)} lines, and the run "
                f"counts {count} decisions"
            )
        return LogState(run.info.run_id, lines[:count], "".join(lines[count:]))

    def write(self, state: LogState, line: str) -> LogState:
        """Append a line that does not count yet. Returns: the state with it."""
        run_id = state.run_id or self._create_run()
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / LOG
            text = "".join(f"{one}\n" for one in (*state.lines, line))
            file.write_text(text, encoding="utf-8")
            with self._store.querying():
                self._store.client.log_artifact(run_id, str(file))
        return LogState(run_id, state.lines, line)

    def count(self, state: LogState) -> None:
        """Count the pending line: it has taken effect."""
        with self._store.querying():
            self._store.client.set_tag(state.run_id, COUNT_TAG, str(state.number + 1))

    def _create_run(self) -> str:
        with self._store.querying():
            run = self._store.client.create_run(
                self._experiment,
                tags={NAME_TAG: self._name},
                run_name=f"decisions on {self._name}",
            )
            self._store.client.set_terminated(run.info.run_id)
        return str(run.info.run_id)

    def _read_lines(self, run_id: str) -> list[str]:
        with tempfile.TemporaryDirectory() as folder:
            file = self._store.fetch(run_id, LOG, Path(folder))
            if file is None:
                return []
            # A line without its end was not written completely.
            return file.read_text("utf-8").split("\n")[:-1]
