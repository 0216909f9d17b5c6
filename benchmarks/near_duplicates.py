"""Measure speed, memory and recall of near-duplicate detection on planted copies.

    python benchmarks/near_duplicates.py --rows 200000

Texts are drawn from 30,000 made-up words with Zipf-like frequencies. A sixth of them
are copies, with some words added or replaced. The result is compared with an exact
comparison of each copy with its original. If datasketch and rensa are installed, they
run on a part of the rows, without the rules on replaced words, numbers and lines.
"""

import argparse
import importlib
import time
import tracemalloc
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import polars as pl

from graft.config.near_duplicates import NearDuplicatesConfig
from graft.data.preprocess.near_duplicates.clusters import to_clusters
from graft.data.preprocess.near_duplicates.nearness import are_near
from graft.data.preprocess.near_duplicates.pairs import join_pairs, to_pairs
from graft.data.preprocess.near_duplicates.sets import to_sets
from graft.data.preprocess.near_duplicates.signatures import (
    MARKS,
    bands,
    recall,
    to_keys,
)

CONFIG = NearDuplicatesConfig(
    policy="drop", shingle=2, num_permutations=64, threshold=0.7, max_replaced=0.1
)
PEER_ROWS = 4000


def plain(texts: Sequence[str] | pl.Series) -> pl.DataFrame:
    """Texts without a prompt."""
    answer = pl.Series("answer", texts, dtype=pl.String)
    return answer.to_frame().with_columns(prompt=pl.lit(None, pl.String))


def make_texts(rows: int, words: int, seed: int = 0) -> list[str]:
    """Random texts of `words` words; the last sixth are copies of the first."""
    random = np.random.default_rng(seed)
    letters = [chr(97 + n) for n in range(26)]
    vocabulary = np.array(
        ["".join(random.choice(letters, random.integers(2, 10))) for _ in range(30_000)]
    )
    chance = 1 / np.arange(5, 30_005)
    drawn = random.choice(30_000, (rows, words), p=chance / chance.sum())
    texts = [" ".join(vocabulary[row]) for row in drawn]
    first = rows - rows // 6
    for number, row in enumerate(range(first, rows)):
        copy = texts[number].split()
        for _ in range(1 + number % max(words // 10, 3)):
            at = int(random.integers(len(copy)))
            copy[at : at + number % 2] = [f"{random.choice(letters)}new"]
        texts[row] = " ".join(copy)
    return texts


def seconds(work: Callable[[], Any]) -> tuple[float, Any]:
    """Wall-clock time of the best of three runs, and the result."""
    times = []
    for _ in range(3):
        start = time.perf_counter()
        found = work()
        times.append(time.perf_counter() - start)
    return min(times), found


def speed(rows: int, words: int) -> None:
    """Rows per second of computing keys, on one thread and on two."""
    texts = pl.Series(make_texts(rows, words))
    batches = [texts[at : at + 10_000] for at in range(0, rows, 10_000)]
    one, _ = seconds(lambda: [to_keys(batch, CONFIG) for batch in batches])
    with ThreadPoolExecutor(2) as pool:
        two, _ = seconds(lambda: list(pool.map(to_keys, batches, [CONFIG] * rows)))
    size = texts.str.len_chars().mean()
    print(
        f"keys, {size:.0f} characters: {rows / one:,.0f} rows/s, two threads ", end=""
    )
    print(f"{rows / two:,.0f}")


def memory(rows: int) -> None:
    """Bytes per row of one band's step, with one key in a hundred shared."""
    random = np.random.default_rng(0)
    marks = random.integers(0, 2**63, (rows, MARKS)).astype(np.uint64)
    band = random.integers(0, rows * 50, rows).astype(np.uint64)
    tracemalloc.start()  # NumPy reports its arrays to tracemalloc
    start = time.perf_counter()
    to_pairs(band, marks, CONFIG)
    took = time.perf_counter() - start
    more = tracemalloc.get_traced_memory()[1] / rows
    tracemalloc.stop()
    print(f"pairs of a band, {rows:,} rows: {took:.1f} s, ", end="")
    print(f"{more:.0f} bytes per row in addition to the input's {8 + 8 * MARKS}")


def quality(rows: int, words: int) -> None:
    """Recall and precision on near copies."""
    texts = make_texts(rows, words)
    column = pl.Series(texts)
    keys = to_keys(column, CONFIG)
    pairs = join_pairs(to_pairs(k, keys[:, :MARKS], CONFIG) for k in keys.T[MARKS:])
    candidates, places = np.unique(pairs, return_inverse=True)
    places = places.reshape(-1, 2)
    sets = to_sets(plain(column.gather(candidates)), CONFIG)
    near = places[are_near(places, sets, CONFIG)]
    found = to_clusters(near, np.full(len(candidates), 2), sets, CONFIG)
    first = rows - rows // 6
    planted = np.stack((np.arange(rows - first), np.arange(first, rows)), axis=1)
    true = {
        tuple(p)
        for p in planted[are_near(planted, to_sets(plain(column), CONFIG), CONFIG)]
    }
    got = {tuple(pair) for pair in candidates[near]}
    print(f"{words} words, {rows} rows, {bands(CONFIG)} bands × permutations: ", end="")
    print(
        f"{len(true)} near copies, recall {len(true & got) / len(true):.4f}, ", end=""
    )
    print(f"precision {len(true & got) / len(got):.4f}; {len(candidates)} candidates, ")
    print(f"  {len(pairs)} pairs, {found.height} rows in clusters")
    peers(make_texts(PEER_ROWS, words))


def peers(texts: list[str]) -> None:
    """Recall at the same Jaccard similarity and rows per second of other libraries."""
    first = len(texts) - len(texts) // 6
    shingles = [_runs(text) for text in texts]
    pairs = [(n, first + n) for n in range(len(texts) - first)]
    true = {p for p in pairs if _jaccard(*(shingles[n] for n in p)) >= CONFIG.threshold}
    for name, work in (("datasketch", _datasketch), ("rensa", _rensa)):
        try:
            module = importlib.import_module(name)
        except ImportError:
            print(f"  {name} is not installed: skipped")
            continue
        start = time.perf_counter()
        got = work(module, shingles)
        took = time.perf_counter() - start
        print(f"  {name}: recall {len(true & got) / len(true):.4f} of {len(true)}, ")
        print(f"    {len(texts) / took:,.0f} rows/s, shingles given")
    number, rows = bands(CONFIG)
    print(f"  theory at the threshold: {recall(CONFIG.threshold, number, rows):.4f}")


def _runs(text: str) -> list[str]:
    words = ["", *text.split(), ""]
    return [f"{one} {two}" for one, two in zip(words, words[1:])]


def _jaccard(one: list[str], other: list[str]) -> float:
    return len({*one} & {*other}) / len({*one} | {*other})


def _datasketch(module: Any, shingles: list[list[str]]) -> set[tuple[int, int]]:
    index = module.MinHashLSH(num_perm=64, params=bands(CONFIG))
    found = set()
    for number, runs in enumerate(shingles):
        sketch = module.MinHash(num_perm=64)
        sketch.update_batch([run.encode() for run in runs])
        found |= {(other, number) for other in index.query(sketch)}
        index.insert(number, sketch)
    return found


def _rensa(module: Any, shingles: list[list[str]]) -> set[tuple[int, int]]:
    rows = module.RMinHash.digest_matrix_from_token_sets(shingles, 64, 42).to_rows()
    width = bands(CONFIG)[1]
    seen: dict[tuple[int, ...], list[int]] = {}
    found = set()
    for number, row in enumerate(rows):
        for band in range(0, len(row), width):
            bucket = seen.setdefault((band, *row[band : band + width]), [])
            found |= {(other, number) for other in bucket}
            bucket.append(number)
    return found


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    args = parser.parse_args()
    memory(args.rows * 10)
    speed(args.rows, 16)
    speed(args.rows // 20, 330)
    quality(args.rows // 10, 16)
    quality(args.rows // 100, 330)


if __name__ == "__main__":
    main()
