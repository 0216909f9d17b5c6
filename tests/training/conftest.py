"""A random model of a few thousand weights, and loops that train it."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from small_mistral import small_mistral
from small_training import Log, make_documents

from graft.config import ModelConfig, TrainConfig
from graft.config.params import Params


@pytest.fixture(scope="session")
def base_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("base")
    small_mistral(128, initializer_range=0.2).save_pretrained(folder)
    return folder


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


@pytest.fixture
def make_loop(
    params: Params,
    model_config: ModelConfig,
    unquantized: Any,
    train_config: TrainConfig,
    tmp_path: Path,
) -> Any:
    """Makes a loop with checkpoints in `tmp_path/NAME`; keywords change `train`."""
    from graft.training.base import dtype_on, load_base
    from graft.training.checkpoints import CheckpointStore
    from graft.training.forward import load_ops, prepare
    from graft.training.fused.install import install
    from graft.training.loop import Loop
    from graft.training.losses import fused_loss

    def make(
        name: str = "run",
        log: Any = None,
        quantization: Any = None,
        train: Any = None,
        dropout: float = 0.1,
        kind: type[Loop] = Loop,
        fused: Any = None,
        adapter: Any = None,
        mfu_reference: Any = None,
        **changes: Any,
    ) -> Loop:
        config = train_config.model_copy(update=changes)
        small = {"rank": 4, "alpha": 8.0, "dropout": dropout}
        stored = quantization or unquantized
        base = load_base(model_config, stored, "cpu", "packed")
        adapter = adapter or params.adapter.model_copy(update=small)
        dtype = dtype_on("cpu", stored.compute_dtype)
        prepared = prepare(base, adapter, config, dtype)
        if fused:
            ops, tuned = load_ops(on_cuda=False), prepared.model
            install(tuned, dtype, fused, ops)
            forward = partial(fused_loss, tuned, ops)
            prepared = replace(prepared, forward=forward)
        return kind(
            prepared,
            train or make_documents(120),
            make_documents(12, seed=1),
            config,
            CheckpointStore(tmp_path / name, config.checkpoints_kept),
            log or Log(),
            mfu_reference=mfu_reference,
        )

    return make
