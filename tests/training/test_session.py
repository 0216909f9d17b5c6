"""What training refuses before it loads any weights."""

import shutil
from pathlib import Path

import pytest
from train_pipeline import make_pipeline

from graft.config.params import load_params
from graft.errors import DataError
from graft.training.parallel import DataParallelGroup
from graft.training.session import Recipe, Session


def test_validation_examples_in_train_are_refused(tmp_path: Path) -> None:
    make_pipeline(tmp_path)
    params, splits = load_params(tmp_path / "params.yaml"), tmp_path / "splits"
    recipe = Recipe(
        params.adapter,
        params.model,
        params.quantization,
        params.prompt,
        params.tokenize,
        params.train,
    )
    tokens, checkpoints = tmp_path / "reports/tokenize.json", tmp_path / "checkpoints"
    Session.open(recipe, splits, tokens, checkpoints, DataParallelGroup())
    shutil.rmtree(splits / "validation")
    shutil.copytree(splits / "train", splits / "validation")
    with pytest.raises(DataError, match="160 examples of the validation split"):
        Session.open(recipe, splits, tokens, checkpoints, DataParallelGroup())
