"""A disk that fills while a stage writes."""

import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from data_pipeline import (
    STAGES,
    contents,
    finish,
    outputs,
    remains,
    write_params,
    write_source,
)
from small_disk import fill

from graft import io
from graft.errors import StorageError

SCHEMA = pa.schema([("n", pa.int64())])
FORMER = {"part-00000.parquet": b"what was there before"}


def write_former(path: Path) -> dict[str, bytes]:
    """An output of an earlier run; its contents."""
    if path.suffix:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("before")
    else:
        path.mkdir(parents=True)
        for name, data in FORMER.items():
            (path / name).write_bytes(data)
    return contents(path)


def test_a_full_disk_is_an_error_and_the_previous_folder_stays(
    small_disk: Path,
) -> None:
    write_former(small_disk / "out")
    fill(small_disk, 2**20)
    rng = np.random.default_rng(0)
    tables = (
        pa.table({"n": rng.integers(0, 2**60, 100_000)}, SCHEMA) for _ in range(5)
    )
    with pytest.raises(StorageError, match="the disk is full") as caught:
        io.write_batches(small_disk / "out", tables, SCHEMA)
    assert "free some space" in caught.value.fix
    assert contents(small_disk / "out") == FORMER
    assert not remains(small_disk)


def test_a_full_disk_is_an_error_and_the_previous_file_stays(small_disk: Path) -> None:
    write_former(small_disk / "report.json")
    fill(small_disk, 0)
    with pytest.raises(StorageError, match="the disk is full"):
        io.write_json(small_disk / "report.json", "long" * 5000)
    assert (small_disk / "report.json").read_text() == "before"
    assert not remains(small_disk)


@pytest.mark.slow
def test_a_stage_that_fills_the_disk_leaves_what_was_there_before(
    tmp_path: Path, small_disk: Path
) -> None:
    write_source(tmp_path / "raw", 20_000)
    calm = tmp_path / "calm"
    write_params(calm, tmp_path / "raw")
    for name in STAGES:
        assert finish(name, calm) == (0, "")
    for name in STAGES:
        work = small_disk / name
        write_params(work, tmp_path / "raw")
        written = {path: contents(calm / path) for path in outputs(name)}
        former = {path: write_former(work / path) for path in written}
        for path in [path for other in STAGES for path in outputs(other)]:
            if path not in former:
                (work / path).parent.mkdir(parents=True, exist_ok=True)
                (work / path).symlink_to(calm / path)
        size = sum(len(data) for files in written.values() for data in files.values())
        fill(small_disk, size // 2)
        status, said = finish(name, work)
        assert status == 1, name
        assert said.startswith("error: ") and "the disk is full" in said, said
        assert "free some space" in said
        for path, files in written.items():
            assert contents(work / path) in (former[path], files), path
        assert not remains(work)
        assert any(contents(work / path) == former[path] for path in written)
        (small_disk / "filler").unlink()
        shutil.rmtree(work)
