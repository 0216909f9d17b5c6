import shutil
from pathlib import Path

import mlflow
import pytest
from registered_versions import Registered, registry_at

from graft.config import GatedRegistryConfig


@pytest.fixture(name="empty_store", scope="session")
def _empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with MLflow's tables, which take seconds to create."""
    file = tmp_path_factory.mktemp("store") / "mlflow.db"
    mlflow.MlflowClient(f"sqlite:///{file}").search_experiments()
    return file


@pytest.fixture(name="uri")
def _uri(tmp_path: Path, empty_store: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    shutil.copy(empty_store, tmp_path)
    return f"sqlite:///{tmp_path / 'mlflow.db'}"


@pytest.fixture(name="registry")
def _registry(uri: str) -> GatedRegistryConfig:
    """The section registry of an empty SQLite store."""
    return registry_at(uri)


@pytest.fixture(name="registered")
def _registered(uri: str, tmp_path: Path) -> Registered:
    return Registered(uri, tmp_path)
