"""Settings and fixtures of all tests."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from graft.config import DataConfig

# Read when torch is imported: on models this small, threads only wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# A first call may import numpy or pyarrow, and the machine may be busy.
settings.register_profile("graft", deadline=None)
settings.load_profile("graft")

MakeData = Callable[..., DataConfig]


@pytest.fixture
def make_data(tmp_path: Path) -> MakeData:
    """Makes a data section over `tmp_path`; keywords change what they name."""

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
            "ranges": {},
            "engine": "local",
        }
        names = ("hub_id", "subset", "revision", "group", "stratum", "split", "strata")
        others = ("columns", "max_rows", "passage", "license", "cluster")
        empty = dict.fromkeys((*names, *others))
        return DataConfig.model_validate(empty | values | changes)

    return make
