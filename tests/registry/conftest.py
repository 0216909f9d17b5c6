from pathlib import Path

import pytest
from registered_versions import Registered, registry_at
from tracking_stores import make_store

from graft.config import GatedRegistryConfig


@pytest.fixture(name="uri")
def _uri(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return make_store(tmp_path)


@pytest.fixture(name="registry")
def _registry(uri: str) -> GatedRegistryConfig:
    """The section registry of an empty SQLite store."""
    return registry_at(uri)


@pytest.fixture(name="registered")
def _registered(uri: str, tmp_path: Path) -> Registered:
    return Registered(uri, tmp_path)
