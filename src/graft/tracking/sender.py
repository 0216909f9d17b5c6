"""A journal's events → MLflow. The only module that speaks to it."""

import logging
import os
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from graft.tracking.journal import Event, Journal, without_secret
from graft.tracking.place import artifact_location

RUN_TAG = "graft.run"
"""Our own key of a run: it is known before MLflow answers, and the same wherever the
run is logged."""
EVENT_TAG = "graft.event"
MOST_PARAMS, MOST_METRICS = 100, 1000
"""What MLflow takes in one request."""


class Sender:
    """Sends events in order, each once; what MLflow raises passes through.

    Args:
        journal: where the events are.
        uri: of the tracking store.
        system_metrics: whether the machine's load is sampled until `close`.
    """

    def __init__(self, journal: Journal, uri: str, system_metrics: bool) -> None:
        # Before the import: MLflow's own settings would wait minutes for a dead server.
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "20")
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
        import mlflow

        for noisy in ("alembic", "mlflow"):
            logging.getLogger(noisy).setLevel(logging.ERROR)
        mlflow.set_tracking_uri(uri)
        mlflow.set_registry_uri(uri)
        self._mlflow = mlflow
        self._client = mlflow.MlflowClient()
        self._journal, self._uri = journal, uri
        self._wants_monitor = system_metrics
        self._monitor: Any = None
        self._run = ""

    def send(self, events: Sequence[Event]) -> None:
        """Send events that follow what was sent before; note each that arrived."""
        for kind, same in groupby(events, key=lambda event: event.kind):
            group = list(same)
            if kind == "metrics":
                self._metrics(group)
                self._journal.mark_sent(upto=group[-1].number + 1)
                continue
            for event in group:
                getattr(self, f"_{kind}")(event)
                # Going on with a run sends its start again, and nothing else twice.
                upto = max(event.number + 1, self._journal.read_sent().upto)
                self._journal.mark_sent(upto=upto)

    def close(self) -> None:
        """Stop sampling the machine."""
        if self._monitor is not None:
            self._monitor.finish()
            self._monitor = None

    def _start(self, event: Event) -> None:
        values = event.values
        found = self._mlflow.get_experiment_by_name(values["experiment"])
        experiment = (
            found.experiment_id
            if found
            else self._client.create_experiment(
                values["experiment"], artifact_location(self._uri)
            )
        )
        key = f"tags.`{RUN_TAG}` = '{values['key']}'"
        known = self._client.search_runs([experiment], key, max_results=1)
        if known:
            self._run = known[0].info.run_id
            self._client.update_run(self._run, status="RUNNING")
        else:
            tags = values["tags"] | {RUN_TAG: values["key"]}
            run = self._client.create_run(
                experiment, event.time_ms, tags, values["name"]
            )
            self._run = run.info.run_id
        self._journal.mark_sent(mlflow_run=self._run, uri=without_secret(self._uri))
        if self._wants_monitor:
            from mlflow.system_metrics.system_metrics_monitor import (
                SystemMetricsMonitor,
            )

            self._monitor = SystemMetricsMonitor(self._run, resume_logging=bool(known))
            self._monitor.start()

    def _params(self, event: Event) -> None:
        from mlflow.entities import Param

        params = [Param(name, str(value)) for name, value in event.values.items()]
        for first in range(0, len(params), MOST_PARAMS):
            some = params[first : first + MOST_PARAMS]
            self._client.log_batch(self._run, params=some)

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
        path, folder = Path(event.values["path"]), event.values["folder"] or None
        if path.is_dir():
            self._client.log_artifacts(self._run, str(path), folder or path.name)
        elif path.is_file():
            self._client.log_artifact(self._run, str(path), folder)

    def _dataset(self, event: Event) -> None:
        from mlflow.data.meta_dataset import MetaDataset
        from mlflow.data.dataset_source_registry import resolve_dataset_source
        from mlflow.entities import DatasetInput, InputTag

        source = resolve_dataset_source(event.values["path"])
        dataset = MetaDataset(
            source, name=event.values["name"], digest=event.values["digest"]
        )
        context = InputTag("mlflow.data.context", event.values["context"])
        entity = dataset._to_mlflow_entity()  # pylint: disable=protected-access
        self._client.log_inputs(self._run, [DatasetInput(entity, [context])])

    def _register(self, event: Event) -> None:
        """Log the adapter once, register it, and move the aliases."""
        values, client = event.values, self._client
        name = values["name"]
        sign = f"{self._run}-{event.number}"
        known = client.search_model_versions(f"name = '{name}'")
        mine = [v for v in known if v.tags.get(EVENT_TAG) == sign]
        version = mine[0].version if mine else self._new_version(name, values)
        tags: dict[str, Any] = values["tags"] | {EVENT_TAG: sign}
        for key, value in tags.items():
            client.set_model_version_tag(name, version, key, value)
        client.set_registered_model_alias(name, "challenger", version)
        if "champion" not in client.get_registered_model(name).aliases:
            client.set_registered_model_alias(name, "champion", version)
        self._journal.mark_sent(version=str(version))

    def _new_version(self, name: str, values: dict[str, Any]) -> str:
        with self._mlflow.start_run(run_id=self._run, log_system_metrics=False):
            logged = self._mlflow.pyfunc.log_model(
                name="adapter",
                python_model=values["code"],
                artifacts={"adapter": values["adapter"]},
                pip_requirements=values["requirements"],
                registered_model_name=name,
            )
        return str(logged.registered_model_version)

    def _end(self, event: Event) -> None:
        self._client.set_terminated(self._run, event.values["status"], event.time_ms)


def send_journal(journal: Journal, uri: str) -> int:
    """Send what has not arrived of a journal; returns the number of events."""
    sent = journal.read_sent()
    missing = journal.events[sent.upto :]
    if missing:
        sender = Sender(journal, uri, system_metrics=False)
        if missing[0].kind != "start":
            sender.send([next(journal.of_kind("start"))])
        sender.send(missing)
    return len(missing)
