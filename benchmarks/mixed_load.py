"""`graft serve` under a load of every kind of request, good and bad.

    python benchmarks/mixed_load.py --seconds 600

The server runs the tiny base on a CPU, in processes of its own. Long and short prompts,
streams, batches, wrong requests and clients that vanish come at the same time, while
the champion changes. Each answer is compared with what it must be.
"""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "tests/samples"))


def main() -> None:
    """Print a table by kind of request, memory over time, and what was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600)
    words = parser.parse_args()
    from mixed_run import prepared

    with tempfile.TemporaryDirectory() as folder:
        with prepared(Path(folder)) as load:
            result = asyncio.run(load.run(words.seconds))
    print(*result.table(), sep="\n")
    print(f"{result.num_swaps} swaps of the champion, {result.num_batches} batches")
    samples = sorted(result.memory.items())
    for seconds, sizes in samples[:: max(len(samples) // 20, 1)]:
        print(f"{seconds:6.0f} s", *(f"{n} {mib:.1f} MiB" for n, mib in sizes.items()))
    for name, idle_s in result.idle_s.items():
        growth = f"{100 * result.growth(name):+.1f} % in the second half"
        print(f"{name}: {growth}; {idle_s:.2f} s of processor in a second at rest")
    print("at rest:", result.end, "requests of versions:", result.in_use)
    print(f"{len(result.faults)} faults")
    print(*result.faults[:20], sep="\n")
    sys.exit(bool(result.faults))


if __name__ == "__main__":
    main()
