"""Settings and fixtures of all tests."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from graft.config import DataConfig, ModelConfig, QuantizationConfig
from graft.config.params import Params, load_params
from graft.models.files import model_digest

# Read when torch is imported: on models this small, more threads only cost time.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# `make test-portable` turns off the processor features of torch and oneDNN by their
# environment variables. bitsandbytes has none; its library detects the processor.
if os.environ.get("ATEN_CPU_CAPABILITY") == "default":
    from bitsandbytes import functional

    functional.lib.has_avx512bf16_cpu = lambda: False

# A first call may import numpy or pyarrow, and other processes may run.
settings.register_profile("graft", deadline=None)
settings.load_profile("graft")

ROOT = Path(__file__).parents[1]
LONG = {
    *("commands", "deploy", "inference", "integration", "process", "registry"),
    *("scripts", "serving", "stages", "tracking", "training"),
}
"""Folders of files that take seconds: they start processes, or load models."""
MakeData = Callable[..., DataConfig]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Move the long files to the front, so that the processes of `make test`, which
    take whole files in this order, end at about the same time."""
    items.sort(key=lambda item: not LONG & {*item.path.relative_to(ROOT).parts})


@pytest.fixture
def make_data(tmp_path: Path) -> MakeData:
    """Makes a data section over `tmp_path`; keywords change its keys."""

    def make(**changes: Any) -> DataConfig:
        values: dict[str, Any] = {
            "name": "pairs",
            "format": "jsonl",
            "root": tmp_path,
            "files": {"all": "pairs.jsonl"},
            "fields": {"source": "en", "target": "fr"},
            "delimiter": ",",
            "quote": '"',
            "encoding": "utf-8",
            "required": [],
            "constants": {},
            "ranges": {},
        }
        names = ("hub_id", "subset", "revision", "group", "stratum", "split", "strata")
        others = ("columns", "max_rows", "passage", "license")
        empty = dict.fromkeys((*names, *others))
        return DataConfig.model_validate(empty | values | changes)

    return make


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a file system of 64 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(folder)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("mounting a file system is not allowed here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture(scope="session")
def params() -> Params:
    return load_params(ROOT / "params.yaml")


@pytest.fixture
def model_config(params: Params, base_folder: Path) -> ModelConfig:
    """The small model in the `base_folder` of a folder of tests."""
    values = {
        "path": str(base_folder),
        "revision": model_digest(base_folder),
        "num_parameters": 100_000,
        "dtype": "float32",
    }
    return params.model.model_copy(update=values)


@pytest.fixture
def unquantized(params: Params) -> QuantizationConfig:
    values = {"method": "none", "double_quant": False, "compute_dtype": "float32"}
    return params.quantization.model_copy(update=values)
