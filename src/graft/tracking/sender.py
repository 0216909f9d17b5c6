"""A journal's events → MLflow. The only module that writes runs into it."""

import json
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from graft.tracking.journal import Event, Journal, without_secret
from graft.tracking.moved import follow_artifacts
from graft.tracking.place import alone, artifact_location
from graft.tracking.store import (
    EVENT_FAULTS,
    RefusedError,
    is_refusal,
    open_mlflow,
)

RUN_TAG = "graft.run"
"""Our own key of a run: it is known before MLflow answers, and the same wherever the
run is logged."""
EVALUATION_TAG = "graft.evaluation"
"""Of a version: the run and the evaluation that it was registered for."""
MOST_PARAMS, MOST_METRICS = 100, 1000
"""What MLflow takes in one request."""


class Sender:
    """Sends a journal's events in order, each once, into its run, found or made.

    What MLflow raises passes through.

    Args:
        journal: where the events are.
        uri: of the tracking store.
        system_metrics: whether the machine's load is sampled until `close`.
    """

    def __init__(self, journal: Journal, uri: str, system_metrics: bool) -> None:
        self._mlflow = open_mlflow(uri)
        self._journal, self._uri = journal, uri
        self._arrived_before = journal.read_sent().upto
        self.refused: list[str] = []
        with alone(uri):
            follow_artifacts(uri)
            self._client = self._mlflow.MlflowClient()
            self._run, self._next = self._begin()
        self._monitor = self._sample_machine() if system_metrics else None

    def send(self) -> int:
        """Send what has not arrived; returns the number of events that did now."""
        events = self._journal.events[self._next :]
        for kind, same in groupby(events, key=lambda event: event.kind):
            group = list(same)
            parts = [group] if kind == "metrics" else [[event] for event in group]
            for part in parts:
                try:
                    getattr(self, f"_{kind}")(part if kind == "metrics" else part[0])
                except Exception as error:  # pylint: disable=broad-exception-caught
                    if not is_refusal(error, EVENT_FAULTS):
                        raise
                    # It would be refused each time, and what follows never arrive.
                    reason = without_secret(str(error)).strip().splitlines()[:1]
                    self.refused.append(f"{kind}: {' '.join(reason)[:300]}")
                self._arrived(part[-1])
        return len(events)

    def close(self) -> None:
        """Stop sampling the machine."""
        if self._monitor is not None:
            self._monitor.finish()
            self._monitor = None

    def _arrived(self, event: Event) -> None:
        self._next = event.number + 1
        self._journal.mark_sent(upto=self._next)

    def _begin(self) -> tuple[str, int]:
        """Find or make the journal's run; returns it and the first event to send.

        A store that does not know the run gets all of it.
        """
        start = self._journal.events[0]
        named = self._mlflow.get_experiment_by_name(start.values["experiment"])
        # An experiment with another name by now still has the run.
        among = [named] if named else self._client.search_experiments()
        ids = [one.experiment_id for one in among]
        key = f"tags.`{RUN_TAG}` = '{start.values['key']}'"
        if known := self._client.search_runs(ids, key, max_results=1):
            run, first = known[0].info.run_id, max(self._journal.read_sent().upto, 1)
        else:
            experiment = self._experiment(start.values["experiment"])
            tags = start.values["tags"] | {RUN_TAG: start.values["key"]}
            made = self._client.create_run(
                experiment, start.time_ms, tags, start.values["name"]
            )
            run, first = made.info.run_id, 1
        uri = without_secret(self._uri)
        self._journal.mark_sent(upto=first, mlflow_run=run, uri=uri)
        return run, first

    def _experiment(self, name: str) -> str:
        """The id of the experiment, which is made if need be.

        Raises: RefusedError if it was deleted.
        """
        if found := self._mlflow.get_experiment_by_name(name):
            if found.lifecycle_stage == "deleted":
                raise RefusedError(
                    f"registry.experiment={name}",
                    "this experiment was deleted in the tracking store",
                    expected="an experiment that is active, or a new name",
                    fix=f"mlflow experiments restore -x {found.experiment_id}; or set "
                    "registry.experiment to another name",
                )
            return str(found.experiment_id)
        return str(self._client.create_experiment(name, artifact_location(self._uri)))

    def _sample_machine(self) -> Any:
        from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor

        monitor = SystemMetricsMonitor(self._run, resume_logging=True)
        monitor.start()
        return monitor

    def _resume(self, _event: Event) -> None:
        self._client.update_run(self._run, status="RUNNING")

    def _params(self, event: Event) -> None:
        """MLflow keeps a parameter's first value; a later one becomes a tag."""
        from mlflow.entities import Param, RunTag

        known = self._client.get_run(self._run).data.params
        values = {name: str(value) for name, value in event.values.items()}
        new = [Param(name, v) for name, v in values.items() if name not in known]
        for first in range(0, len(new), MOST_PARAMS):
            some = new[first : first + MOST_PARAMS]
            self._client.log_batch(self._run, params=some)
        later = [
            RunTag(f"later/{name}", v)
            for name, v in values.items()
            if known.get(name, v) != v
        ]
        self._client.log_batch(self._run, tags=later)

    def _metrics(self, events: Sequence[Event]) -> None:
        from mlflow.entities import Metric

        metrics = [
            Metric(name, value, event.time_ms, event.values["step"] or 0)
            for event in events
            for name, value in event.values["metrics"].items()
        ]
        for first in range(0, len(metrics), MOST_METRICS):
            some = metrics[first : first + MOST_METRICS]
            self._client.log_batch(self._run, metrics=some)

    def _tags(self, event: Event) -> None:
        from mlflow.entities import RunTag

        tags = [RunTag(name, str(value)) for name, value in event.values.items()]
        self._client.log_batch(self._run, tags=tags)

    def _artifact(self, event: Event) -> None:
        """Log a file or folder; if it is gone by now, a tag says so."""
        path, folder = self._journal.file(event, "path"), event.values["folder"] or None
        if path.is_dir():
            self._client.log_artifacts(self._run, str(path), folder or path.name)
        elif path.is_file():
            self._client.log_artifact(self._run, str(path), folder)
        else:
            self._client.set_tag(self._run, f"missing/{path.name}", str(path))

    def _dataset(self, event: Event) -> None:
        from mlflow.entities import Dataset, DatasetInput, InputTag

        values = event.values
        source = json.dumps({"uri": values["path"]})
        dataset = Dataset(values["name"], values["digest"], "local", source)
        context = InputTag("mlflow.data.context", values["context"])
        self._client.log_inputs(self._run, [DatasetInput(dataset, [context])])

    def _register(self, event: Event) -> None:
        """Log and register the adapter once an evaluation, and move the aliases."""
        if event.number < self._arrived_before:
            return  # its run or experiment was deleted since: it is not made again
        values, client = event.values, self._client
        name = values["name"]
        key = self._journal.events[0].values["key"]
        sign = f"{key}-{values.get('evaluation') or event.number}"
        known = client.search_model_versions(f"name = '{name}'")
        mine = [v for v in known if v.tags.get(EVALUATION_TAG) == sign]
        version = mine[0].version if mine else self._new_version(name, event)
        tags: dict[str, Any] = values["tags"] | {EVALUATION_TAG: sign}
        for key, value in tags.items():
            client.set_model_version_tag(name, version, key, value)
        self._set_aliases(name, str(version), values.get("aliases", ()))
        self._journal.mark_sent(version=str(version))

    def _set_aliases(self, name: str, version: str, wanted: Sequence[str]) -> None:
        held = self._client.get_registered_model(name).aliases
        for alias in wanted:
            if alias != "champion" or alias not in held:
                self._client.set_registered_model_alias(name, alias, version)
        for alias, holder in held.items():
            if not wanted and str(holder) == version:
                self._client.delete_registered_model_alias(name, alias)

    def _new_version(self, name: str, event: Event) -> str:
        code, adapter = (self._journal.file(event, n) for n in ("code", "adapter"))
        with self._mlflow.start_run(run_id=self._run, log_system_metrics=False):
            logged = self._mlflow.pyfunc.log_model(
                name="adapter",
                python_model=str(code),
                artifacts={"adapter": str(adapter)},
                pip_requirements=event.values["requirements"],
                registered_model_name=name,
            )
        return str(logged.registered_model_version)

    def _end(self, event: Event) -> None:
        self._client.set_terminated(self._run, event.values["status"], event.time_ms)
