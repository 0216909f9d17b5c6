import shutil
from pathlib import Path
from typing import Any

import pytest

from graft.config import ModelConfig
from graft.errors import ConfigError, HardwareError, ModelError, StorageError
from graft.exporting.folders import (
    check_target,
    choose_place,
    num_bytes,
    write_adapter,
)
from graft.io import read_json, write_json

COMMIT = "0123456789" * 4


def make_adapter(folder: Path, **changes: Any) -> Path:
    """An adapter's folder with PEFT's configuration and dummy weights."""
    from peft import LoraConfig

    config = LoraConfig(
        r=4, lora_alpha=8, target_modules=["v_proj", "k_proj"], task_type="CAUSAL_LM"
    )
    config.save_pretrained(folder)
    write_json(
        folder / "adapter_config.json",
        read_json(folder / "adapter_config.json") | {"lora_alpha": 8.0} | changes,
    )
    (folder / "adapter_model.safetensors").write_bytes(b"weights")
    return folder


def test_an_exported_configuration_has_base_commit_and_only_portable_keys(
    tmp_path: Path,
) -> None:
    adapter = make_adapter(tmp_path / "adapter")
    (tmp_path / "out").mkdir()
    config = write_adapter(adapter, "org/model", COMMIT, tmp_path / "out")
    assert config == read_json(tmp_path / "out" / "adapter_config.json")
    assert (
        config["base_model_name_or_path"] == "org/model"
        and config["revision"] == COMMIT
    )
    assert config["target_modules"] == ["k_proj", "v_proj"]
    assert isinstance(config["lora_alpha"], int)
    assert config["modules_to_save"] is None
    assert not config.keys() & {"corda_config", "eva_config", "exclude_modules"}


def test_a_local_base_is_exported_without_a_revision(
    tmp_path: Path,
) -> None:
    adapter = make_adapter(tmp_path / "adapter", exclude_modules="x")
    (tmp_path / "out").mkdir()
    config = write_adapter(adapter, "models/tiny", "909630b2d94d4d07", tmp_path / "out")
    assert config["revision"] is None and config["exclude_modules"] == "x"


def test_an_adapter_without_weights_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no adapter here"):
        write_adapter(tmp_path, "b", "r", tmp_path)


def test_only_a_new_or_empty_folder_is_written_to(tmp_path: Path) -> None:
    check_target(tmp_path / "a" / "new", 0)
    check_target(tmp_path, 0)
    (tmp_path / "file").touch()
    for taken in (tmp_path, tmp_path / "file"):
        with pytest.raises(ConfigError, match="exists already"):
            check_target(taken, 0)


def test_a_full_disk_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free
    with pytest.raises(StorageError, match="GiB are free, the model needs"):
        check_target(tmp_path / "a" / "b", free)
    assert not list(tmp_path.iterdir())


def test_a_model_is_merged_on_a_device_with_enough_memory(
    model_config: ModelConfig,
) -> None:
    assert choose_place("cpu", model_config) == "cpu"
    huge = model_config.model_copy(update={"num_parameters": 10**15})
    assert num_bytes(huge) == 4 * 10**15
    for device in ("auto", "cpu", "cuda"):
        with pytest.raises(HardwareError, match="unquantized model needs|no CUDA GPU"):
            choose_place(device, huge)
