"""A run that logs one of everything, and whether a store has all of it."""

from pathlib import Path
from typing import Any

from graft import tracking
from graft.config import RegistryConfig
from graft.tracking.journal import Journal


def log_all(run: tracking.Run, registry: RegistryConfig, adapter: Path) -> str | None:
    """Log one of everything."""
    report = adapter.parent / "report.json"
    report.write_text("{}")
    run.log_params({"train.seed": 1, "generation.stop": ["\n"]})
    run.set_tags({"template_hash": "abc"})
    run.log_dataset("pairs-train", adapter, "d1", "train")
    for step in (10, 20):
        run.log_metrics({"train/loss": 1 / step}, step)
    run.log_artifact(report, "reports")
    return tracking.register_adapter(
        run,
        registry,
        adapter,
        code=adapter.parent / "served.py",
        settings={},
        tags={"base": "b"},
    )


def runs_of(registry: RegistryConfig) -> list[Any]:
    """All runs of the experiment."""
    import mlflow

    mlflow.set_tracking_uri(registry.tracking_uri)
    found = mlflow.search_runs(
        experiment_names=[registry.experiment], output_format="list"
    )
    return list(found)


def check_complete(registry: RegistryConfig, run: tracking.Run) -> str:
    """One run has all that `log_all` logged; returns its id."""
    import mlflow

    client = mlflow.MlflowClient(registry.tracking_uri, registry.tracking_uri)
    (found,) = runs_of(registry)
    run_id = str(found.info.run_id)
    assert found.info.status == "FINISHED"
    assert found.data.params == {"train.seed": "1", "generation.stop": "['\\n']"}
    assert found.data.tags["graft.run"] == run.run_id
    assert found.data.tags["template_hash"] == "abc"
    history = client.get_metric_history(run_id, "train/loss")
    assert [(m.step, m.value) for m in history] == [(10, 0.1), (20, 0.05)]
    events = Journal(run.journal).of_kind("metrics")
    assert [m.timestamp for m in history] == [event.time_ms for event in events]
    (data,) = found.inputs.dataset_inputs
    assert (data.dataset.name, data.dataset.digest) == ("pairs-train", "d1")
    (report,) = client.list_artifacts(run_id, "reports")
    assert report.path == "reports/report.json"
    (version,) = client.search_model_versions(f"name = '{registry.name}'")
    assert version.run_id == run_id and version.tags["base"] == "b"
    return run_id
