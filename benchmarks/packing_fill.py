"""Measure packing efficiency and time.

    python benchmarks/packing_fill.py [NUM_DOCUMENTS ...]

Lengths are log-normal and clipped, as in the training benchmarks: median 75 and at most
512 tokens (translation), median 900 and at most 2,048 (reasoning), at least 16; packed
into sequences of 2,048 tokens.
"""

import sys
import time

import numpy as np

from graft.training.packing import pack, packing_efficiency

CAPACITY = 2048
WORKS = {"short": (75, 0.5, 512), "long": (900, 0.6, 2048)}


def main() -> None:
    """Pack each distribution at each count."""
    counts = [int(text) for text in sys.argv[1:]] or [10_000, 100_000, 1_000_000]
    for work, (median, spread, longest) in WORKS.items():
        for count in counts:
            rng = np.random.default_rng(0)
            drawn = rng.lognormal(np.log(median), spread, count).astype(int)
            lengths = np.clip(drawn, 16, longest).tolist()
            start = time.perf_counter()
            packs = pack(lengths, CAPACITY)
            seconds = time.perf_counter() - start
            share = packing_efficiency(packs, lengths, CAPACITY)
            print(f"{work:5} {count:>9,} documents: efficiency {share:.5f}, "
                  f"{seconds:.2f} s")  # fmt: skip


if __name__ == "__main__":
    main()
