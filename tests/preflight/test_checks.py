"""Errors that are reported before anything is computed, on simulated machines."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from graft.config import ModelConfig
from graft.config.params import Params, check_params
from graft.errors import (
    ConfigError,
    DataError,
    GraftError,
    HardwareError,
    ModelError,
    StorageError,
)
from graft.hardware.device import VisibleGpu
from graft.models.files import model_digest
from graft.preflight.checks import (
    CHECKS,
    RunConfig,
    check_data,
    check_device,
    check_disk,
    check_memory,
    check_model,
    check_splits,
    run_checks,
)
from graft.preflight.machine import Machine

H100 = VisibleGpu("NVIDIA H100", 79.0, 78.0)
SMALL = VisibleGpu("NVIDIA T4", 15.0, 14.0)
LAPTOP = Machine((), 16.0, 100.0, 100.0, True)
SERVER = Machine((H100,), 200.0, 500.0, 500.0, True)
MISTRAL_7B: dict[str, Any] = {
    "model_type": "mistral",
    "num_hidden_layers": 32,
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "vocab_size": 32768,
}


class FakeHub:
    """A Hub with one model, or with an error."""

    # pylint: disable=unused-argument

    def __init__(self, missing: int = 0, error: GraftError | None = None) -> None:
        self._missing = missing
        self._error = error

    def read_config(self, model: ModelConfig) -> dict[str, Any]:
        self._refuse()
        return MISTRAL_7B

    def missing_bytes(self, model: ModelConfig) -> int:
        self._refuse()
        return self._missing

    def check_dataset(self, hub_id: str, revision: str) -> None:
        self._refuse()

    def _refuse(self) -> None:
        if self._error:
            raise self._error


HUB = FakeHub()


def make_config(params: Params, **changes: dict[str, Any]) -> RunConfig:
    """A 7B model on the default data; keywords change keys of a section."""
    big = {"path": "a/b", "revision": "0" * 40, "num_parameters": 7_250_000_000}
    tokens = {"max_seq_len": 2048}
    values = params.to_plain()
    changed = {"model": big, "tokenize": tokens} | changes
    for name, keys in changed.items():
        values[name] = values[name] | keys
    valid = check_params(values, "test")
    names = [field.name for field in dataclasses.fields(RunConfig)]
    return RunConfig(**{name: getattr(valid, name) for name in names})


def test_a_large_model_is_refused_without_a_gpu_and_passes_with_one(
    params: Params,
) -> None:
    with pytest.raises(HardwareError, match="no CUDA GPU"):
        check_device(make_config(params), LAPTOP, HUB)
    run_checks(make_config(params), SERVER, HUB, CHECKS)


def test_the_default_pipeline_passes_on_a_laptop(params: Params) -> None:
    fields = dataclasses.fields(RunConfig)
    default = RunConfig(**{field.name: getattr(params, field.name) for field in fields})
    run_checks(default, LAPTOP, FakeHub(), CHECKS)


def test_more_processes_than_gpus_are_refused(params: Params) -> None:
    two = make_config(params, train={"num_processes": 2, "global_batch_size": 64})
    with pytest.raises(HardwareError, match="num_processes=1"):
        check_device(two, SERVER, HUB)
    check_device(two, dataclasses.replace(SERVER, gpus=(H100, H100)), HUB)


def test_too_little_gpu_memory_is_refused_with_what_would_fit(params: Params) -> None:
    wide = make_config(params, train={"micro_batch_size": 32, "global_batch_size": 64})
    server = dataclasses.replace(SERVER, gpus=(SMALL,))
    with pytest.raises(HardwareError, match="micro_batch_size") as caught:
        check_memory(wide, server, HUB)
    assert "fix: set train." in str(caught.value)
    busy = dataclasses.replace(SERVER, gpus=(H100._replace(free_gib=2.0),))
    with pytest.raises(HardwareError, match=r"2\.0 GiB are free"):
        check_memory(make_config(params), busy, HUB)


def test_memory_is_only_refused_if_no_text_could_fit(params: Params) -> None:
    unpacked = {"packing": False, "micro_batch_size": 32, "global_batch_size": 64}
    check_memory(
        make_config(params, train=unpacked),
        dataclasses.replace(SERVER, gpus=(SMALL,)),
        HUB,
    )


def test_an_empty_split_is_refused_unless_files_or_a_column_fill_it(
    params: Params,
) -> None:
    empty = {"test": 0.0}
    data: dict[str, Any] = {"files": {"train": "a.jsonl"}, "split": None}
    with pytest.raises(ConfigError, match=r"fix: set split\.test=0\.05"):
        check_splits(make_config(params, split=empty, data=data), LAPTOP, HUB)
    filled = data | {"files": {"train": "a.jsonl", "test": "b.jsonl"}}
    check_splits(make_config(params, split=empty, data=filled), LAPTOP, HUB)
    column = {"files": {"all": "a.jsonl"}, "split": "part"}
    check_splits(make_config(params, split=empty, data=column), LAPTOP, HUB)
    with pytest.raises(ConfigError, match="validation"):
        check_splits(
            make_config(params, split={"validation": 0.0}, data=filled), LAPTOP, HUB
        )


def test_a_model_that_cannot_be_downloaded_is_refused(params: Params) -> None:
    hub = FakeHub(error=ModelError("a/b", "gated"))
    with pytest.raises(ModelError, match="gated"):
        check_model(make_config(params), SERVER, hub)


def test_a_data_set_that_the_hub_refuses_is_refused(params: Params) -> None:
    hub = FakeHub(error=DataError("a/b", "no such data set"))
    check_data(make_config(params), SERVER, hub)  # the default data are files
    data = {"format": "hub", "hub_id": "a/b", "revision": "1", "files": {"all": "x"}}
    with pytest.raises(DataError, match="no such data set"):
        check_data(make_config(params, data=data), SERVER, hub)


def test_a_download_or_data_larger_than_the_disk_is_refused(
    params: Params, tmp_path: Path
) -> None:
    hub = FakeHub(missing=15 * 2**30)
    check_disk(make_config(params), SERVER, hub)
    full = dataclasses.replace(SERVER, disk_gib=10.0, hub_cache_gib=10.0)
    with pytest.raises(StorageError, match=r"10\.0 are free"):
        check_disk(make_config(params), full, hub)
    apart = dataclasses.replace(full, one_disk=False, hub_cache_gib=100.0)
    check_disk(make_config(params), apart, hub)
    with (tmp_path / "large").open("wb") as file:
        file.truncate(10 * 2**30)  # a sparse file
    with pytest.raises(StorageError, match="repository's disk"):
        check_disk(make_config(params, data={"root": str(tmp_path)}), apart, hub)


def test_all_errors_of_a_round_are_shown(
    params: Params, capsys: pytest.CaptureFixture[str]
) -> None:
    hub = FakeHub(error=ModelError("a/b", "gated"))
    wrong = make_config(params, split={"test": 0.0}, data={"split": None})
    with pytest.raises(HardwareError, match="no CUDA GPU"):
        run_checks(wrong, LAPTOP, hub, CHECKS)
    assert capsys.readouterr().err.startswith("error: split.test=0.0: ")
    # The Hub is queried only after all local checks passed.
    with pytest.raises(ModelError, match="gated"):
        run_checks(make_config(params), SERVER, hub, CHECKS)


def test_too_little_host_memory_on_a_cpu_is_refused_with_what_would_fit(
    params: Params,
) -> None:
    model = {"num_parameters": 900_000_000}  # of a shape that needs several GiB
    wide = {"device": "cpu", "micro_batch_size": 8, "global_batch_size": 8}
    small = make_config(params, model=model, train=wide)
    check_memory(small, dataclasses.replace(LAPTOP, host_gib=400.0), HUB)
    with pytest.raises(HardwareError, match=r"host memory \(RAM\).*does not fit") as no:
        check_memory(small, dataclasses.replace(LAPTOP, host_gib=3.0), HUB)
    assert "a machine with more memory" in str(no.value)
    with pytest.raises(HardwareError, match="host memory") as caught:
        check_memory(small, dataclasses.replace(LAPTOP, host_gib=24.0), HUB)
    assert "fix: set train." in str(caught.value)


def test_a_model_folder_with_other_content_than_its_revision_names_is_refused(
    params: Params, tmp_path: Path
) -> None:
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    folder = {"path": str(tmp_path), "revision": model_digest(tmp_path)}
    check_model(make_config(params, model=folder), SERVER, HUB)
    (tmp_path / "config.json").write_text("{ }", encoding="utf-8")
    with pytest.raises(ModelError, match=r"not model\.revision"):
        check_model(make_config(params, model=folder), SERVER, HUB)
