"""Measure time and memory of the stage `split`, with and without the leakage check.

    python benchmarks/leakage.py --rows 300000 3000000

Sequences are pairs of sentences of the sample (`benchmarks/corpus.py`), about 30 words
and 40 tokens. 3,000 rows are an official test split; 1,000 of them are also in train,
after two other words. All these copies of at least n words must be found, except those
of common n-grams. At large sizes more is found, because the same sentences are drawn by
chance.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
from corpus import batches

from graft import io
from graft.config import LeakageConfig, SplitConfig
from graft.data.split.ngrams import hash_texts, to_words
from graft.records import SEQUENCE_SCHEMA

HELD_OUT, LEAKED = 3_000, 1_000
LEAKAGE = LeakageConfig(
    policy="drop",
    n=13,
    threshold=0.5,
    max_common=10,
    answers=False,
    benchmarks=[],
    max_leaked=0,
    num_shown=5,
)


def sequences(num_rows: int) -> Iterator[pa.Table]:
    """Tables of sequences."""
    at, held = 0, pl.DataFrame()
    for frame in batches(num_rows, 0.0, 1):
        for part in frame.select("en", "fr").iter_slices(50_000):
            if not at:
                held = part.head(LEAKED)
            if at <= num_rows // 2 < at + part.height:
                copies = held.with_columns(en="oh yes " + pl.col("en"))
                part = pl.concat([copies, part.slice(LEAKED)])
            yield to_table(part, at)
            at += part.height


def to_table(pairs: pl.DataFrame, at: int) -> pa.Table:
    """Sequences of pairs; the first of all rows are the official test split."""
    number = pl.int_range(at, at + pairs.height, dtype=pl.Int64, eager=True)
    name = (number + 2**40).cast(pl.String)
    rng = np.random.default_rng(at)
    ids = pl.Series(rng.integers(0, 32_000, (pairs.height, 40), np.int32))
    turns = [
        pl.struct(role=pl.lit(role), content=pl.col(side))
        for role, side in (("user", "en"), ("assistant", "fr"))
    ]
    frame = pairs.select(
        id=name,
        messages=pl.concat_list(turns),
        references=pl.lit([], dtype=pl.List(pl.String)),
        group=name,
        stratum=pl.lit("all"),
        split=pl.when(number < HELD_OUT).then(pl.lit("test")),
        where="corpus:" + number.cast(pl.String),
        input_ids=ids.arr.to_list(),
        loss_mask=ids.arr.to_list().list.eval(pl.element() > 16_000),
        num_bytes=pl.lit(90, pl.Int64),
        augmented=pl.lit(False),
    )
    table = frame.to_arrow(compat_level=pl.CompatLevel.oldest())
    return table.select(SEQUENCE_SCHEMA.names).cast(SEQUENCE_SCHEMA)


def measure(folder: Path, leakage: bool) -> None:
    """Run the stage in this process, and print time and memory."""
    from graft.stages.split import run

    config = SplitConfig(
        validation=0.0, test=0.0, seed=42, leakage=LEAKAGE if leakage else None
    )
    names = {name: folder / name for name in ("out", "rejects", "report")}
    start = time.perf_counter()
    run(config, sequences=folder / "sequences", **names)
    seconds = time.perf_counter() - start
    num_rows = io.num_rows(folder / "sequences")
    # Not getrusage, which includes the parent's memory at the fork.
    status = Path("/proc/self/status").read_text(encoding="ascii")
    peak_mib = int(status.partition("VmHWM:")[2].split()[0]) / 1024
    print(
        f"{num_rows:>12,} rows  leakage {leakage!s:5}  {seconds:7.1f} s"
        f"  {num_rows / seconds:>10,.0f} rows/s  peak {peak_mib:,.0f} MiB"
    )
    if leakage:
        found = io.read_json(folder / "report")["leakage"]["num_leaked"]
        print(f"{'':>12} found {found} of {num_long(folder)} copies")


def num_long(folder: Path) -> int:
    """Number of copies of at least n words, which n-grams can find."""
    head = next(io.read_batches(folder / "sequences", ["messages"], LEAKED))
    prompts = [row[0]["content"] for row in head["messages"].to_pylist()]
    _, counts = hash_texts(to_words(pl.Series(prompts)), len(prompts))
    return int(np.sum(counts >= LEAKAGE.n))


def main() -> None:
    """Generate sequences of each size, and split them twice."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[300_000, 3_000_000])
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--leakage", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.measure:
        measure(args.measure, args.leakage)
        return
    for num_rows in args.rows:
        with tempfile.TemporaryDirectory(prefix="graft-leakage-") as folder:
            tables = sequences(num_rows)
            io.write_batches(Path(folder) / "sequences", tables, SEQUENCE_SCHEMA)
            for flags in ([], ["--leakage"]):
                command = [sys.executable, __file__, "--measure", folder, *flags]
                subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
