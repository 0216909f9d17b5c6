"""A random model of a few thousand weights, and documents for it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graft.config import ModelConfig, TrainConfig
from graft.models import model_digest
from graft.params import Params, load_params
from graft.training.batches import PackedDocuments

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def params() -> Params:
    return load_params(ROOT / "params.yaml")


@pytest.fixture(scope="session")
def base_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import torch
    from transformers import MistralConfig, MistralForCausalLM

    torch.manual_seed(0)
    config = MistralConfig(  # pylint: disable=unexpected-keyword-arg
        vocab_size=128,
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=16,
        initializer_range=0.2,
        sliding_window=None,
    )
    folder = tmp_path_factory.mktemp("base")
    MistralForCausalLM(config).save_pretrained(folder)
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


@pytest.fixture
def train_config(params: Params) -> TrainConfig:
    values = {
        "epochs": 2,
        "micro_batch_size": 2,
        "global_batch_size": 4,
        "log_every": 1,
        "evaluate_every": 4,
        "early_stopping_patience": None,
    }
    return params.train.model_copy(update=values)


def make_documents(count: int, seed: int = 0, length: int = 64) -> PackedDocuments:
    """Random documents of 4 to 20 tokens, of which the second half is learned."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(4, 20, count)
    starts = np.cumsum([0, *lengths], dtype=np.int64)
    learned = np.zeros(starts[-1], dtype=np.bool_)
    for start, size in zip(starts, lengths):
        learned[start + size // 2 : start + size] = True
    tokens = rng.integers(3, 128, starts[-1])
    names = [f"example-{number}" for number in range(count)]
    return PackedDocuments(tokens, learned, starts, names, length, True)
