"""A batch for which no worker has the memory ends the stage."""

import time
from pathlib import Path

import pytest

from graft.engine.ray import open_ray
from graft.engine.ray_engine import MAX_RETRIES
from graft.errors import HardwareError

pytestmark = pytest.mark.slow


def test_a_batch_that_takes_all_memory_is_named_and_not_repeated_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Of the machine's memory more is in use, so that Ray kills each worker.
    monkeypatch.setenv("RAY_memory_usage_threshold", "0.01")

    def work(item: int) -> int:
        (tmp_path / str(time.monotonic_ns())).touch()
        time.sleep(120)
        return item

    with open_ray(None) as engine:
        with pytest.raises(HardwareError, match="batch 1 lost its worker"):
            list(engine.map(work, [7]))
    assert len(list(tmp_path.iterdir())) <= 1 + MAX_RETRIES
