from pathlib import Path

import pytest

from graft.config import RegistryConfig
from graft.tracking.place import artifact_location, repository_root, tracking_uri

REGISTRY = RegistryConfig(name="m", experiment="e", tracking_uri="sqlite:///mlflow.db")


def test_a_run_in_dvcs_copy_is_kept_in_the_repository(tmp_path: Path) -> None:
    copy = tmp_path / ".dvc" / "tmp" / "exps" / "tmp1234"
    assert repository_root(copy) == repository_root(copy / "deep") == tmp_path
    assert repository_root(tmp_path) == tmp_path
    uri = tracking_uri(REGISTRY, copy, {})
    assert uri == f"sqlite:///{tmp_path}/mlflow.db"
    assert artifact_location(uri) == (tmp_path / "mlartifacts").as_uri()


@pytest.mark.parametrize(
    "uri", ["http://127.0.0.1:5000", "sqlite:////tmp/a.db", "sqlite://", "databricks"]
)
def test_an_absolute_address_stays_as_it_is(tmp_path: Path, uri: str) -> None:
    registry = REGISTRY.model_copy(update={"tracking_uri": uri})
    assert tracking_uri(registry, tmp_path, {}) == uri


def test_the_environment_goes_before_the_configuration(tmp_path: Path) -> None:
    there = {"MLFLOW_TRACKING_URI": "http://127.0.0.1:1"}
    assert tracking_uri(REGISTRY, tmp_path, there) == "http://127.0.0.1:1"


def test_a_server_has_its_own_place_for_artifacts() -> None:
    assert artifact_location("http://127.0.0.1:5000") is None
