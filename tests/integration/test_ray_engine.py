"""The data stages write the same bytes with Ray as without it."""

import errno
import gc
import os
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import psutil
import pytest
from dirty_rows import CLEAN, TOKENIZE, contents, make_tokenizer, write_rows
from settings import PROMPT
from translation_pairs import NOTHING

from graft import io
from graft.config import DataConfig, ModelConfig
from graft.data.convert.conversion import Conversion
from graft.data.preprocess.cleaning import CleaningCounts, clean, marked_schema
from graft.data.preprocess.duplicates import find_duplicates
from graft.data.preprocess.partition import Partition
from graft.data.tokenize.report import TokenCounts
from graft.data.tokenize.sequences import SequenceSettings
from graft.engine import ray_engine as ray_module
from graft.engine.libraries import library_versions
from graft.engine.local import Engine, LocalEngine
from graft.engine.ordered import IN_FLIGHT
from graft.engine.ray import LOOPBACK, open_ray
from graft.engine.ray_engine import MAX_RETRIES, RayEngine
from graft.errors import ConfigError, DataError, HardwareError
from graft.records import EXAMPLE_SCHEMA, REJECT_SCHEMA, SEQUENCE_SCHEMA
from graft.records.row_batch import to_batches
from graft.sources import read_row_batches
from graft.stages.encoding import Encoding
from graft.tasks import get_task

pytestmark = pytest.mark.slow  # Ray takes ten seconds to start
WORKERS = 2
SIZE = 256


@pytest.fixture(scope="module")
def ray_engine() -> Iterator[RayEngine]:
    with open_ray(None, WORKERS) as engine:
        yield engine
    with warnings.catch_warnings(action="ignore", category=ResourceWarning):
        gc.collect()  # Ray stops its processes without waiting for them


def run_pipeline(
    data: DataConfig, model: ModelConfig, engine: Engine, out: Path
) -> None:
    """Run convert, preprocess and tokenize in small batches."""
    rows = [b.row(n) for b in read_row_batches(data) for n in range(len(b))]
    with io.open_shards(out / "rejects", REJECT_SCHEMA) as rejects:
        conversion = Conversion(data, get_task("translation"), 99, rejects.write)
        tables = conversion.tables(to_batches(rows, SIZE), engine.map)
        io.write_batches(out / "converted", tables, EXAMPLE_SCHEMA)

    work = partial(clean, config=CLEAN, decisions=NOTHING)
    batches = io.read_batches(out / "converted", batch_size=SIZE)
    tables = CleaningCounts().count(engine.map(work, batches))
    with (
        io.scratch(out / "clean", tables, marked_schema(CLEAN)) as marked,
        io.open_shards(out / "clean", EXAMPLE_SCHEMA) as kept,
        io.open_shards(out / "dropped", REJECT_SCHEMA) as dropped,
    ):
        partition = Partition(CLEAN, find_duplicates(marked, CLEAN, engine.map))
        for good, bad in partition.divide(marked.tables()):
            kept.write(good)
            dropped.write(bad)
    assert partition.reasons["near-duplicate"] > 50

    settings = SequenceSettings(TOKENIZE, PROMPT)
    batches = io.read_batches(out / "clean", batch_size=SIZE)
    tables = engine.map(Encoding(model, settings), batches)
    with io.open_shards(out / "unencoded", REJECT_SCHEMA) as rejects:
        sequences = TokenCounts(TOKENIZE).count(tables, rejects.write)
        io.write_batches(out / "sequences", sequences, SEQUENCE_SCHEMA)


def test_ray_writes_the_same_bytes_as_threads(
    tmp_path: Path, make_data, ray_engine: RayEngine
) -> None:
    model = make_tokenizer(tmp_path / "model")
    write_rows(tmp_path / "pairs.jsonl", 2000)
    run_pipeline(make_data(), model, LocalEngine(WORKERS), tmp_path / "local")
    run_pipeline(make_data(), model, ray_engine, tmp_path / "ray")
    assert contents(tmp_path / "local") == contents(tmp_path / "ray")


def test_more_than_one_process_does_the_work(ray_engine: RayEngine) -> None:
    def work(_: int) -> int:
        time.sleep(0.2)
        return os.getpid()

    workers = set(ray_engine.map(work, range(20)))
    assert len(workers) == WORKERS
    assert os.getpid() not in workers


def test_a_worker_has_one_thread_and_this_process_as_many_as_before(
    ray_engine: RayEngine,
) -> None:
    def work(_: int) -> str | None:
        return os.environ.get("POLARS_MAX_THREADS")

    assert set(ray_engine.map(work, range(4))) == {"1"}
    assert work(0) != "1"


def test_only_items_in_progress_are_in_memory(ray_engine: RayEngine) -> None:
    read = []
    results = ray_engine.map(abs, (read.append(n) or n for n in range(1000)))
    for done, _ in zip(range(1, 50), results, strict=False):
        assert len(read) - done < WORKERS * IN_FLIGHT


def test_large_work_is_shared_and_not_copied(ray_engine: RayEngine) -> None:
    def work(_: int, marks: np.ndarray) -> bool:
        return marks.flags.owndata

    marks = np.zeros(1_000_000)
    assert not any(ray_engine.map(partial(work, marks=marks), range(8)))


def test_a_graft_error_is_raised_as_itself(ray_engine: RayEngine) -> None:
    def work(item: int) -> int:
        if item == 3:
            raise DataError("f:3", "wrong", expected="right", fix="correct it")
        return item

    results = ray_engine.map(work, range(9))
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(DataError) as raised:
        next(results)
    assert raised.type is DataError
    assert str(raised.value) == "f:3: wrong\n  expected: right\n  fix: correct it"


def test_another_error_keeps_its_type_and_its_number(ray_engine: RayEngine) -> None:
    def work(_: int) -> int:
        raise OSError(errno.ENOSPC, "full", "/x")

    with pytest.raises(OSError, match="full") as raised:
        list(ray_engine.map(work, [1]))
    assert raised.type is OSError
    assert raised.value.errno == errno.ENOSPC


def test_a_batch_whose_worker_dies_is_done_once_by_another(
    tmp_path: Path, ray_engine: RayEngine
) -> None:
    def work(item: int) -> int:
        if item == 5 and not (tmp_path / "died").exists():
            (tmp_path / "died").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return item

    assert list(ray_engine.map(work, range(12))) == list(range(12))
    assert (tmp_path / "died").exists()


def test_a_node_with_other_libraries_is_an_error_before_any_work(
    tmp_path: Path, ray_engine: RayEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def work(item: int) -> None:
        (tmp_path / str(item)).touch()

    other = library_versions() | {"polars": "1.0.0"}
    monkeypatch.setattr(ray_module, "library_versions", lambda: other)
    with pytest.raises(ConfigError, match="polars .*, not 1.0.0"):
        list(ray_engine.map(work, range(4)))
    assert not list(tmp_path.iterdir())


def test_a_batch_that_kills_each_of_its_workers_is_named(
    tmp_path: Path, ray_engine: RayEngine
) -> None:
    def work(item: int) -> int:
        if item == 5:
            (tmp_path / str(os.getpid())).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return item

    results = ray_engine.map(work, range(12))
    assert [next(results) for _ in range(5)] == list(range(5))
    with pytest.raises(HardwareError, match="batch 6 lost its worker, and 3 others"):
        next(results)
    assert len(list(tmp_path.iterdir())) == 1 + MAX_RETRIES


def test_an_error_of_the_work_is_not_repeated(
    tmp_path: Path, ray_engine: RayEngine
) -> None:
    def work(item: int) -> int:
        with (tmp_path / "calls").open("a") as file:
            file.write(f"{item}\n")
        raise (DataError("f", "wrong") if item else MemoryError("too much"))

    for item, kind in ((1, DataError), (0, MemoryError)):
        with pytest.raises(kind):
            list(ray_engine.map(work, [item]))
    assert (tmp_path / "calls").read_text() == "1\n0\n"


@pytest.mark.usefixtures("ray_engine")
def test_a_cluster_that_does_not_respond_is_reported_in_time() -> None:
    start = time.monotonic()
    with pytest.raises(ConfigError, match="no answer within 6 s") as raised:
        with open_ray(f"{LOOPBACK}:9", patience_s=6):
            pass
    assert "ray start --head" in raised.value.fix
    assert time.monotonic() - start < 12


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_no_process_outlives_a_run_that_is_ended(end: signal.Signals) -> None:
    command = [sys.executable, "-c", ENDLESS]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=-3) as driver:
        assert driver.stdout is not None
        assert driver.stdout.readline() == b"0\n"
        started = psutil.Process(driver.pid).children(recursive=True)
        agents = [child for child in started if "Agent" in child.name()]
        assert any("raylet" in child.name() for child in started)
        driver.send_signal(end)
    _, alive = psutil.wait_procs(set(started) - set(agents), timeout=20)
    assert not alive
    # After a SIGKILL, Ray's agents first try for a minute to notify the cluster.
    _, alive = psutil.wait_procs(agents, timeout=150)
    assert not alive


ENDLESS = """
import time
from graft.engine.ray import open_ray
def work(item):
    time.sleep(item)
    return item
with open_ray(None) as engine:
    for done in engine.map(work, range(0, 10000, 100)):
        print(done, flush=True)
"""
