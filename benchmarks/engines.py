"""The cost of each engine on the same batches: seconds, rows a second, memory.

    python benchmarks/engines.py --rows 200000

The work is `preprocess`'s on a batch (repairs, personal data, rules, keys of
near-duplicates) and then the bands' candidate pairs, on the corpus of
`benchmarks/corpus.py`, each engine in a process of its own. Results must be equal. Dask
and Spark are left out where they are not installed. Memory is the sum of resident sets
of all processes, which counts what they share more than once; Ray's store is shared.
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
from corpus import batches

from graft import io
from graft.composition import compose
from graft.config import PreprocessConfig
from graft.data.cleaning import Decided, clean
from graft.data.columns import from_lines
from graft.data.near_duplicates import MARKS, join_pairs, to_pairs
from graft.engine import LocalEngine, num_cores
from graft.records import EXAMPLE_SCHEMA
from graft.window import in_order

Map = Callable[[Callable[[Any], Any], Iterable[Any]], Iterator[Any]]
WORKERS = max(num_cores(), 2)


@contextmanager
def local() -> Iterator[Map]:
    """Threads of this process."""
    yield LocalEngine(WORKERS).map


@contextmanager
def ray_tasks() -> Iterator[Map]:
    """graft's own: tasks in a window."""
    from graft.ray_engine import open_ray

    with open_ray(None, WORKERS) as engine:
        yield engine.map


@contextmanager
def ray_data() -> Iterator[Map]:
    """Ray Data. Items that are no tables are pickled into one."""
    from graft.ray_engine import open_ray

    with open_ray(None, WORKERS):
        import ray

        ray.data.DataContext.get_current().execution_options.preserve_order = True
        ray.data.DataContext.get_current().enable_progress_bars = False

        def run(work: Callable[[Any], Any], items: Iterable[Any]) -> Iterator[Any]:
            # A stream that this process reads can be no source: all is put first.
            parts = [ray.put(_packed(item)) for item in items]
            data = ray.data.from_arrow_refs(parts)
            out = data.map_batches(
                _unpacked, fn_args=(work,), batch_size=None, batch_format="pyarrow"
            )
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


def _unpacked(table: pa.Table, work: Callable[[Any], Any]) -> pa.Table:
    return _packed(work(_loads(table["it"][0].as_py())))


@contextmanager
def dask() -> Iterator[Map]:
    """Dask's futures, in the same window."""
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

            return in_order(submit, items, WORKERS)

        yield run


def _call(work: Callable[[Any], Any], item: Any) -> Any:
    return work(item)


@contextmanager
def spark() -> Iterator[Map]:
    """Spark's RDD of pickled items: no stream from this process either."""
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


ENGINES = {
    "local": local,
    "ray": ray_tasks,
    "ray-data": ray_data,
    "dask": dask,
    "spark": spark,
}


def measure(name: str, folder: Path) -> None:
    """Run the work under an engine; a line of JSON."""
    begin = time.perf_counter()
    peak, done = [0], threading.Event()
    watch = threading.Thread(target=_watch, args=(peak, done), daemon=True)
    watch.start()
    config = PreprocessConfig.model_validate(yaml.safe_load(compose([]))["preprocess"])
    work = partial(clean, config=config, decided=Decided({}, frozenset()))
    with ENGINES[name]() as run:
        list(run(_warm, range(2 * WORKERS)))
        started = time.perf_counter()
        digest, keys, rows = hashlib.sha256(), [], 0
        for table, _ in run(work, io.read_batches(folder)):
            found = _keys(table)
            keys.append(found)
            rows += table.num_rows
            digest.update(found.tobytes())
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
    print(
        json.dumps(
            {
                "start_s": round(started - begin, 1),
                "clean_s": round(cleaned - started, 1),
                "pairs_s": round(ended - cleaned, 1),
                "stop_s": round(time.perf_counter() - ended, 1),
                "rows_per_s": round(rows / (ended - started)),
                "peak_gib": round(peak[0] / 2**30, 2),
                "result": digest.hexdigest()[:8],
            }
        )
    )


def _warm(_: int) -> int:
    import graft.data.cleaning  # pylint: disable=unused-import

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


def make(folder: Path, rows: int) -> None:
    """The corpus as examples."""

    def tables() -> Iterator[pa.Table]:
        number = 0
        for frame in batches(rows, 0.01, 0):
            lines = []
            for english, french in frame.iter_rows():
                turns = (("user", english), ("assistant", french))
                said = [{"role": role, "content": text} for role, text in turns]
                line = {"id": str(number), "messages": said, "references": []}
                place = {"split": None, "where": f"f:{number}"}
                lines.append(line | {"group": "", "stratum": "all"} | place)
                number += 1
            yield from_lines(lines, EXAMPLE_SCHEMA)

    io.write_batches(folder, tables(), EXAMPLE_SCHEMA)


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
        make(Path(folder) / "examples", args.rows)
        for name in args.engines:
            command = [sys.executable, __file__, "--one", name, f"{folder}/examples"]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            told = (done.stdout or done.stderr).strip().splitlines()[-1]
            print(f"{name:<9} {told}", flush=True)


if __name__ == "__main__":
    main()
