"""Past runs of a model, as `graft compare` and `graft.results` find them."""

from pathlib import Path

import mlflow
import pytest
from tracking_stores import make_store

from graft import results
from graft.config import RegistryConfig
from graft.tracking.history import History

# MLflow 3.17 uses what SQLAlchemy 2.1 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def registry(uri: str, name: str) -> RegistryConfig:
    return RegistryConfig(name=name, experiment="graft", tracking_uri=uri)


def test_a_run_is_found_under_the_current_name_of_its_adapter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    uri = make_store(tmp_path)
    client = mlflow.MlflowClient(uri, registry_uri=uri)
    experiment = client.create_experiment("graft", (tmp_path / "files").as_uri())
    run = client.create_run(experiment).info.run_id
    client.log_param(run, "registry.name", "old")
    client.log_metric(run, "tuned/bleu", 80.0)
    client.create_registered_model("new")
    client.create_model_version("new", (tmp_path / "files").as_uri(), run)
    for name in ("old", "new"):
        (found,) = History(registry(uri, name)).runs()
        assert found.run_id == run
    assert History(registry(uri, "other")).runs() == []
    table = results.read_runs(registry(uri, "new"))
    assert table[["run_id", "version", "tuned/bleu"]].values.tolist() == [
        [run, "1", 80.0]
    ]
