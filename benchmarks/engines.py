"""Compare the engines on the same batches: seconds, rows per second, memory.

    python benchmarks/engines.py --rows 200000

The work is that of `preprocess` on a batch (repairs, personal data, rules, keys of
near-duplicates) and then the candidate pairs of each band, on the corpus of
`benchmarks/corpus.py`. Each engine runs in its own process. Results must be equal. Dask
and Spark report an error if they are not installed. Memory is the sum of the resident
set sizes of all processes, so shared memory, such as Ray's store, counts repeatedly.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pyarrow as pa
import yaml
from example_corpus import write_examples

from graft import io
from graft.config import PreprocessConfig
from graft.config.compose import compose
from graft.data.preprocess.cleaning import ReviewDecisions, clean
from graft.data.preprocess.near_duplicates.pairs import join_pairs, to_pairs
from graft.data.preprocess.near_duplicates.signatures import MARKS
from graft.engine.local import LocalEngine, num_cores
from graft.engine.ordered import Map, in_order

WORKERS = max(num_cores(), 2)


@contextmanager
def local() -> Iterator[Map]:
    """Threads of this process."""
    yield LocalEngine(WORKERS).map


@contextmanager
def ray_tasks() -> Iterator[Map]:
    """graft's Ray engine: a bounded window of tasks."""
    from graft.engine.ray import open_ray

    with open_ray(None, WORKERS) as engine:
        yield engine.map


@contextmanager
def ray_data() -> Iterator[Map]:
    """Ray Data. Items that are not tables are pickled into one."""
    from graft.engine.ray import open_ray

    with open_ray(None, WORKERS):
        import ray

        ray.data.DataContext.get_current().execution_options.preserve_order = True
        ray.data.DataContext.get_current().enable_progress_bars = False

        def run(work: Callable[[Any], Any], items: Iterable[Any]) -> Iterator[Any]:
            # Ray Data cannot read a stream of this process, so all items are put first.
            parts = [ray.put(_packed(item)) for item in items]
            data = ray.data.from_arrow_refs(parts)

            def step(table: pa.Table) -> pa.Table:
                return _packed(work(_loads(table["it"][0].as_py())))

            out = data.map_batches(step, batch_size=None, batch_format="pyarrow")
            for row in out.iter_rows():
                yield _loads(row["it"])

        yield run


def _packed(item: Any) -> pa.Table:
    return pa.table({"it": pa.array([_dumps(item)], pa.large_binary())})


def _dumps(item: Any) -> bytes:
    import cloudpickle

    return bytes(cloudpickle.dumps(item))


def _loads(value: bytes) -> Any:
    import cloudpickle

    return cloudpickle.loads(value)


@contextmanager
def dask() -> Iterator[Map]:
    """Dask futures, with the same window."""
    import distributed

    with (
        distributed.LocalCluster(
            n_workers=WORKERS, threads_per_worker=1, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):

        def run(work: Callable[[Any], Any], items: Iterable[Any]) -> Iterator[Any]:
            sent = client.scatter([work], broadcast=True)[0]

            def submit(item: Any) -> Callable[[], Any]:
                return client.submit(_call, sent, item, pure=False).result

            return in_order(submit, items, lambda: WORKERS)

        yield run


def _call(work: Callable[[Any], Any], item: Any) -> Any:
    return work(item)


@contextmanager
def spark() -> Iterator[Map]:
    """A Spark RDD of pickled items, which cannot stream from this process either."""
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master(f"local[{WORKERS}]")
    builder = builder.config("spark.ui.enabled", "false")
    builder = builder.config("spark.driver.bindAddress", "127.0.0.1")
    builder = builder.config("spark.driver.host", "127.0.0.1")
    session = builder.config("spark.driver.memory", "4g").getOrCreate()
    try:

        def run(work: Callable[[Any], Any], items: Iterable[Any]) -> Iterator[Any]:
            packed = [_dumps(item) for item in items]
            sent = session.sparkContext.broadcast(_dumps(work))
            data = session.sparkContext.parallelize(packed, len(packed))
            out = data.map(lambda item: _dumps(_loads(sent.value)(_loads(item))))
            yield from map(_loads, out.toLocalIterator(prefetchPartitions=True))

        yield run
    finally:
        session.stop()


ENGINES = {"local": local, "ray": ray_tasks, "ray-data": ray_data}
ENGINES |= {"dask": dask, "spark": spark}


def measure(name: str, folder: Path) -> None:
    """Run the work with an engine, and print the result as JSON."""
    begin = time.perf_counter()
    peak, done = [0], threading.Event()
    watch = threading.Thread(target=_watch, args=(peak, done), daemon=True)
    watch.start()
    config = PreprocessConfig.model_validate(yaml.safe_load(compose([]))["preprocess"])
    work = partial(clean, config=config, decisions=ReviewDecisions({}, frozenset()))
    with ENGINES[name]() as run:
        list(run(_warm, range(2 * WORKERS)))
        started = time.perf_counter()
        digest, keys, rows = hashlib.sha256(), [], 0
        for table, _ in run(work, io.read_batches(folder)):
            own = _keys(table)
            keys.append(own)
            rows += table.num_rows
            digest.update(own.tobytes())
            digest.update("".join(table["group"].to_pylist()).encode())
        cleaned = time.perf_counter()
        columns = np.concatenate(keys)
        pairs = partial(
            to_pairs, marks=columns[:, :MARKS], config=config.near_duplicates
        )
        bands = [np.ascontiguousarray(band) for band in columns.T[MARKS:]]
        digest.update(join_pairs(run(pairs, bands)).tobytes())
        ended = time.perf_counter()
    done.set()
    watch.join()
    found = {
        "start_s": started - begin,
        "clean_s": cleaned - started,
        "pairs_s": ended - cleaned,
        "stop_s": time.perf_counter() - ended,
        "rows_per_s": rows // (ended - started),
        "peak_gib": peak[0] / 2**30,
    }
    found = {key: round(value, 2) for key, value in found.items()}
    print(json.dumps(found | {"result": digest.hexdigest()[:8]}))


def _warm(_: int) -> int:
    import graft.data.preprocess.cleaning  # pylint: disable=unused-import

    time.sleep(0.1)
    return os.getpid()


def _keys(table: pa.Table) -> Any:
    names = [name for name in table.column_names if name.startswith("key_")]
    return np.stack([table[name].to_numpy() for name in names], axis=1)


def _watch(peak: list[int], done: threading.Event) -> None:
    me = psutil.Process()
    while not done.wait(0.2):
        total = 0
        for process in (me, *me.children(recursive=True)):
            try:
                total += process.memory_info().rss
            except psutil.NoSuchProcess:
                pass
        peak[0] = max(peak[0], total)


def main() -> None:
    """Compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--engines", nargs="+", default=list(ENGINES))
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        measure(args.one[0], Path(args.one[1]))
        return
    with tempfile.TemporaryDirectory() as folder:
        write_examples(Path(folder) / "examples", args.rows)
        for name in args.engines:
            command = [sys.executable, __file__, "--one", name, f"{folder}/examples"]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            last = (done.stdout or done.stderr).strip().splitlines()[-1]
            print(f"{name:<9} {last}", flush=True)


if __name__ == "__main__":
    main()
