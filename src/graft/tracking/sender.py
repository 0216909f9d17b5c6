"""Send the events of a journal to MLflow; the only module that writes runs there."""

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from graft.config.secrets import without_secret
from graft.tracking.journal import Event, Journal
from graft.tracking.limits import MOST_IN_PARAM, MOST_IN_TAG, to_name, to_value
from graft.tracking.moved import follow_artifacts
from graft.tracking.place import BASELINE, alone, artifact_location
from graft.tracking.registering import Registration
from graft.tracking.store import (
    EVENT_ERRORS,
    LATER,
    deleted,
    first_line,
    is_refusal,
    open_mlflow,
)
from graft.tracking.sweeps import PARENT_TAG, find_parent

RUN_TAG = "graft.run"
"""graft's own key of a run: it is known before MLflow responds, and the same in every
store."""
MOST_PARAMS, MOST_METRICS = 100, 1000
"""MLflow's limits per request."""


def batched(items: Sequence[Any], most: int) -> Iterator[Sequence[Any]]:
    """The items in order, at most so many at a time."""
    return (items[first : first + most] for first in range(0, len(items), most))


class Sender:
    """Sends the events of a journal in order, each once, to its run, which is found or
    created.

    Errors of MLflow are not caught.

    Args:
        journal: contains the events.
        uri: of the tracking store.
        system_metrics: whether system metrics are sampled until `close`.
    """

    def __init__(self, journal: Journal, uri: str, system_metrics: bool) -> None:
        self._mlflow = open_mlflow(uri)
        self._journal, self._uri = journal, uri
        self._sent_before = journal.read_sent().upto
        self.refused: list[str] = []
        with alone(uri):
            follow_artifacts(uri)
            self._client = self._mlflow.MlflowClient()
            self._run, self._next = self._begin()
        self._monitor = self._sample_system() if system_metrics else None

    def send(self) -> int:
        """Send all events that were not sent before; returns their number."""
        events = self._journal.events[self._next :]
        for kind, same in groupby(events, key=lambda event: event.kind):
            group = list(same)
            parts = [group] if kind == "metrics" else [[event] for event in group]
            for part in parts:
                try:
                    getattr(self, f"_{kind}")(part if kind == "metrics" else part[0])
                except Exception as error:  # pylint: disable=broad-exception-caught
                    if not is_refusal(error, EVENT_ERRORS):
                        raise
                    # It would be rejected again each time, and block what follows.
                    self.refused.append(f"{kind}: {first_line(error)}")
                self._arrived(part[-1])
        return len(events)

    def close(self) -> None:
        """Stop sampling system metrics."""
        if self._monitor is not None:
            self._monitor.finish()
            self._monitor = None

    def _arrived(self, event: Event) -> None:
        self._next = event.number + 1
        self._journal.mark_sent(upto=self._next)

    def _begin(self) -> tuple[str, int]:
        """Find or create the run; returns its id and the first event to send.

        A store without this run receives all of it.
        """
        start = self._journal.events[0]
        if run := self._find(start):
            first = max(self._journal.read_sent().upto, 1)
        else:
            experiment = self._experiment(start.values["experiment"])
            tags = start.values["tags"] | {RUN_TAG: start.values["key"]}
            if commit := tags.get(BASELINE):
                tags[PARENT_TAG] = find_parent(self._client, experiment, commit)
            made = self._client.create_run(
                experiment, start.time_ms, tags, start.values["name"]
            )
            run, first = made.info.run_id, 1
        uri = without_secret(self._uri)
        self._journal.mark_sent(upto=first, mlflow_run=run, uri=uri)
        return run, first

    def _find(self, start: Event) -> str | None:
        """The id of the journal's run, unless it was deleted.

        The run is found even if its experiment was renamed, and if a new experiment
        has the old name.
        """
        key = f"tags.`{RUN_TAG}` = '{start.values['key']}'"
        named = self._mlflow.get_experiment_by_name(start.values["experiment"])
        for find in (lambda: [named] if named else [], self._client.search_experiments):
            ids = [experiment.experiment_id for experiment in find()]
            if ids and (known := self._client.search_runs(ids, key, max_results=1)):
                return str(known[0].info.run_id)
        return None

    def _experiment(self, name: str) -> str:
        """The id of the experiment, which is created if necessary.

        Raises: RefusedError if it was deleted.
        """
        if found := self._mlflow.get_experiment_by_name(name):
            if found.lifecycle_stage == "deleted":
                raise deleted(name, found.experiment_id)
            return str(found.experiment_id)
        return str(self._client.create_experiment(name, artifact_location(self._uri)))

    def _sample_system(self) -> Any:
        from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor

        monitor = SystemMetricsMonitor(self._run, resume_logging=True)
        monitor.start()
        return monitor

    def _resume(self, _event: Event) -> None:
        self._client.update_run(self._run, status="RUNNING")

    def _params(self, event: Event) -> None:
        """MLflow keeps the first value of a parameter; a later one becomes a tag."""
        from mlflow.entities import Param

        data = self._client.get_run(self._run).data
        known, tags = data.params, data.tags
        values = {
            to_name(name): to_value(value, MOST_IN_PARAM)
            for name, value in event.values.items()
        }
        new = [Param(name, v) for name, v in values.items() if name not in known]
        for some in batched(new, MOST_PARAMS):
            self._client.log_batch(self._run, params=some)
        later = {f"{LATER}{n}": v for n, v in values.items() if n in known}
        self._set_tags(
            {t: v for t, v in later.items() if t in tags or v != known[t[len(LATER) :]]}
        )

    def _metrics(self, events: Sequence[Event]) -> None:
        from mlflow.entities import Metric

        metrics = [
            Metric(to_name(name), value, event.time_ms, event.values["step"] or 0)
            for event in events
            for name, value in event.values["metrics"].items()
        ]
        for some in batched(metrics, MOST_METRICS):
            self._client.log_batch(self._run, metrics=some)

    def _tags(self, event: Event) -> None:
        self._set_tags(event.values)

    def _set_tags(self, values: Mapping[str, Any]) -> None:
        from mlflow.entities import RunTag

        tags = [RunTag(to_name(n), to_value(v, MOST_IN_TAG)) for n, v in values.items()]
        for some in batched(tags, MOST_PARAMS):
            self._client.log_batch(self._run, tags=some)

    def _artifact(self, event: Event) -> None:
        """Log a file or folder; if it no longer exists, set a tag instead."""
        path, folder = self._journal.file(event, "path"), event.values["folder"] or None
        if path.is_dir():
            self._client.log_artifacts(self._run, str(path), folder or path.name)
        elif path.is_file():
            self._client.log_artifact(self._run, str(path), folder)
        else:
            self._set_tags({f"missing/{path.name}": path})

    def _dataset(self, event: Event) -> None:
        from mlflow.entities import Dataset, DatasetInput, InputTag

        values = event.values
        uri = values["path"]
        kind = "s3" if uri.startswith("s3://") else "local"
        source = json.dumps({"uri": uri})
        dataset = Dataset(values["name"], values["digest"], kind, source)
        context = InputTag("mlflow.data.context", values["context"])
        self._client.log_inputs(self._run, [DatasetInput(dataset, [context])])

    def _register(self, event: Event) -> None:
        if event.number < self._sent_before:
            return  # the run or experiment was deleted since; do not register it again
        parts = self._mlflow, self._client, self._journal, self._run
        self._journal.mark_sent(version=Registration(*parts).register(event))

    def _end(self, event: Event) -> None:
        self._client.set_terminated(self._run, event.values["status"], event.time_ms)
