"""A random model of a few thousand weights, and how it is stored."""

from pathlib import Path
from typing import Any

import pytest
from hub_folders import save_weights

from graft.config import ModelConfig
from graft.models import model_digest
from graft.params import Params, load_params

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def params() -> Params:
    return load_params(ROOT / "params.yaml")


@pytest.fixture(scope="session")
def base_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("base")
    sizes = {"hidden_size": 64, "intermediate_size": 128, "initializer_range": 0.2}
    save_weights(folder, "mistral", "float32", sliding_window=None, **sizes)
    return folder


@pytest.fixture
def model_config(params: Params, base_folder: Path) -> ModelConfig:
    values = {
        "path": str(base_folder),
        "revision": model_digest(base_folder),
        "num_parameters": 100_000,
        "dtype": "float32",
    }
    return params.model.model_copy(update=values)


@pytest.fixture
def unquantized(params: Params) -> Any:
    values = {"method": "none", "double_quant": False, "compute_dtype": "float32"}
    return params.quantization.model_copy(update=values)
