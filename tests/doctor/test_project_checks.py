"""Parameters, and the files of the base model."""

import json
import shutil
from pathlib import Path

import yaml

from graft.config import ModelConfig
from graft.doctor.project import check_model, check_params
from graft.errors import ConfigError

VALUES = yaml.safe_load(Path("params.yaml").read_text("utf-8"))["model"]


def model(path: Path | str) -> ModelConfig:
    return ModelConfig.model_validate({**VALUES, "path": str(path)})


def never(_: ModelConfig) -> bool:
    return False


def test_invalid_or_edited_parameters_are_named() -> None:
    assert check_params(None, [])[0].status == "ok"
    (found,) = check_params(None, ["train.epochs: 1 in params.yaml, 2 in configs/"])
    assert found.status == "warning" and "train.epochs" in found.found
    (found,) = check_params(ConfigError("params.yaml", "1 error", fix="mend"), [])
    assert (found.status, found.fix) == ("error", "mend")


def test_a_folder_is_checked_by_its_digest(tmp_path: Path) -> None:
    folder = tmp_path / "base"
    shutil.copytree(VALUES["path"], folder)
    assert check_model(model(folder), never)[0].status == "ok"
    with (folder / "config.json").open("a") as file:
        file.write("\n")
    (found,) = check_model(model(folder), never)
    assert found.status == "error" and "digest" in found.found


def test_missing_weights_and_pointers_of_git_lfs_are_named(tmp_path: Path) -> None:
    (found,) = check_model(model(tmp_path), never)
    assert "config.json, *.safetensors" in found.found or "*.safetensors" in found.found
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.safetensors").write_text("version https://git-lfs.github.com\n")
    assert "model.safetensors" in check_model(model(tmp_path), never)[0].found
    index = {"weight_map": {"a": "part-1.safetensors", "b": "part-2.safetensors"}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    (tmp_path / "part-1.safetensors").write_text("weights")
    (found,) = check_model(model(tmp_path), never)
    assert found.status == "error" and found.found.endswith("lacks part-2.safetensors")


def test_a_model_of_the_hub_is_cached_or_downloaded_later() -> None:
    hub = model("org/name")
    assert check_model(hub, lambda _: True)[0].status == "ok"
    (found,) = check_model(hub, never)
    assert found.status == "warning" and "hf download org/name" in found.fix
