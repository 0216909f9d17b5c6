"""Stages that are killed: what they leave, and what their next run makes of it."""

import random
import time
from pathlib import Path

import pytest
from data_pipeline import (
    STAGES,
    contents,
    finish,
    outputs,
    remains,
    start,
    write_params,
    write_source,
)

NUM_ROWS, NUM_KILLS = 30_000, 4


@pytest.mark.slow
def test_a_killed_stage_leaves_nothing_half_and_its_next_run_is_whole(
    tmp_path: Path,
) -> None:
    rng = random.Random(0)
    calm, rough = tmp_path / "calm", tmp_path / "rough"
    write_source(tmp_path / "raw", NUM_ROWS)
    for folder in (calm, rough):
        write_params(folder, tmp_path / "raw")
    broken_off = 0
    for name in STAGES:
        began = time.monotonic()
        assert finish(name, calm) == (0, "")
        seconds = time.monotonic() - began
        for turn in range(NUM_KILLS):
            process = start(name, rough)
            # The first seconds are imports; a run that was not killed counts too.
            time.sleep(seconds * (0.3 + 0.7 * rng.random()))
            process.kill()
            process.communicate()
            broken_off += bool(remains(rough))
            for path in outputs(name):
                left = contents(rough / path)
                assert not left or left == contents(calm / path), (name, turn, path)
        assert finish(name, rough) == (0, "")
        assert not remains(rough), name
        for path in outputs(name):
            assert contents(rough / path) == contents(calm / path)
    assert broken_off  # else all kills came too early or too late
