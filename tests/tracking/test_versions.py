"""Versions of a registered model in a real SQLite store."""

from pathlib import Path
from typing import Any

import mlflow
import pytest
from tracking_stores import make_store

from graft.config import RegistryConfig
from graft.errors import TrackingError
from graft.tracking.versions import Versions

# MLflow 3.17 uses what SQLAlchemy 2.1 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(name="registry")
def _registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RegistryConfig:
    """A store with eleven versions of the model `model`."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    uri = make_store(tmp_path)
    client: Any = mlflow.MlflowClient(uri, registry_uri=uri)
    files = tmp_path / "mlartifacts"
    run = client.create_run(client.create_experiment("graft", files.as_uri())).info
    (files / "model/artifacts/adapter").mkdir(parents=True)
    (files / "model/artifacts/adapter/graft.json").write_text("{}")
    client.create_registered_model("model")
    for _ in range(11):
        client.create_model_version("model", (files / "model").as_uri(), run.run_id)
    return RegistryConfig(name="model", experiment="graft", tracking_uri=uri)


def test_versions_are_ordered_by_number(registry: RegistryConfig) -> None:
    numbers = [one.version for one in Versions(registry).all()]
    assert numbers == [str(number) for number in range(1, 12)]


def test_a_version_is_found_by_number_alias_and_address(
    registry: RegistryConfig,
) -> None:
    versions = Versions(registry)
    versions.set_alias("champion", "10")
    for text in ("10", "champion", "models:/model/10", "models:/model@champion"):
        assert versions.find(text).version == "10"
    assert versions.holder("challenger") is None


@pytest.mark.parametrize(
    "text", ["12", "challenger", "models:/other/1", "models:/model@challenger"]
)
def test_a_version_that_does_not_exist_is_an_error(
    registry: RegistryConfig, text: str
) -> None:
    with pytest.raises(TrackingError, match="no such version") as caught:
        Versions(registry).find(text)
    assert str(caught.value).startswith(text)


def test_an_alias_belongs_to_one_version(registry: RegistryConfig) -> None:
    versions = Versions(registry)
    versions.set_alias("champion", "1")
    versions.set_alias("champion", "2")
    assert not versions.find("1").aliases
    assert versions.find("2").aliases == ("champion",)
    versions.delete_alias("champion")
    assert versions.holder("champion") is None


def test_tags_are_of_one_version(registry: RegistryConfig) -> None:
    versions = Versions(registry)
    versions.set_tags("3", {"certificate": "passed", "resamples": 1000})
    assert versions.find("3").tags == {"certificate": "passed", "resamples": "1000"}
    assert not versions.find("2").tags


def test_the_adapter_of_a_version_is_copied(
    registry: RegistryConfig, tmp_path: Path
) -> None:
    versions = Versions(registry)
    adapter = versions.fetch_adapter(versions.find("1"), tmp_path / "out")
    assert (adapter / "graft.json").read_text() == "{}"


def test_a_missing_store_is_not_created(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    uri = f"sqlite:///{tmp_path / 'none.db'}"
    config = RegistryConfig(name="model", experiment="graft", tracking_uri=uri)
    with pytest.raises(TrackingError, match="no such file"):
        Versions(config)
    assert not (tmp_path / "none.db").exists()
