"""A random model of a few thousand weights."""

from pathlib import Path

import pytest
from hub_folders import save_weights


@pytest.fixture(scope="session")
def base_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("base")
    sizes = {"hidden_size": 64, "intermediate_size": 128, "initializer_range": 0.2}
    save_weights(folder, "mistral", "float32", sliding_window=None, **sizes)
    return folder
