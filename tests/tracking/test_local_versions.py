"""Versions of a real SQLite store, read without MLflow as with it."""

from pathlib import Path

import pytest
from registered_versions import Registered, registry_at
from tracking_stores import make_store

from graft.errors import TrackingError
from graft.tracking.local_versions import LocalVersions, open_versions, to_folder
from graft.tracking.versions import Versions

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(name="uri")
def _uri(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A store with three versions, of which the first was deleted."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    uri = make_store(tmp_path)
    store = Registered(uri, tmp_path)
    for number in range(3):
        store.add([], number=str(number))
    store.client.set_registered_model_alias("model", "champion", "2")
    store.client.delete_model_version("model", "1")
    return uri


def test_versions_are_those_that_mlflow_reads(uri: str) -> None:
    registry = registry_at(uri)
    found = open_versions(registry)
    assert isinstance(found, LocalVersions)
    assert found.all() == Versions(registry).all()
    assert found.find("champion") == Versions(registry).find("champion")
    assert [one.version for one in found.all()] == ["2", "3"]


def test_an_alias_that_moves_is_seen(uri: str) -> None:
    found = open_versions(registry_at(uri))
    Versions(registry_at(uri)).set_alias("champion", "3")
    assert found.find("champion").version == "3"
    with pytest.raises(TrackingError, match="@challenger"):
        found.find("other")


def test_a_copy_has_all_files(uri: str, tmp_path: Path) -> None:
    registry = registry_at(uri)
    found = open_versions(registry)
    version = found.find("champion")
    source = tmp_path / "mlartifacts" / version.run_id / "artifacts/adapter"
    (source / "artifacts").mkdir(parents=True)
    (source / "artifacts/file").write_text("content")
    copy = found.fetch_model(version, tmp_path / "copy")
    assert (copy / "artifacts/file").read_text() == "content"
    with pytest.raises(TrackingError, match="not at"):
        found.fetch_model(found.find("3"), tmp_path / "other")


def test_artifacts_elsewhere_are_left_to_mlflow(uri: str) -> None:
    registry = registry_at(uri)
    client = Versions(registry).store.client
    client.create_model_version("model", "s3://bucket/adapter")
    assert isinstance(open_versions(registry), Versions)


def test_only_addresses_of_this_machine_are_folders() -> None:
    assert to_folder("file:///a%20b/c") == Path("/a b/c")
    assert to_folder("/a/c") == Path("/a/c")
    assert to_folder("s3://bucket/a") is None
    assert to_folder("models:/m-1") is None
    assert to_folder("file://other/a") is None
