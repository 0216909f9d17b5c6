from pathlib import Path

import pytest
from echo_model import ECHO_MODEL
from tracking_stores import make_store

from graft.config import RegistryConfig


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RegistryConfig:
    """The section registry of an empty SQLite store."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    uri = make_store(tmp_path)
    return RegistryConfig(name="model", experiment="graft", tracking_uri=uri)


@pytest.fixture
def adapter(tmp_path: Path) -> Path:
    """An output folder of the train stage, and the served code beside it."""
    made = tmp_path / "adapter"
    made.mkdir()
    (made / "adapter_model.safetensors").write_bytes(b"weights")
    (tmp_path / "served.py").write_text(ECHO_MODEL)
    return made
