"""From `graft serve` to ready: wall time, and processor time of both processes.

    python benchmarks/serving_start.py --starts 5

The version is registered in a store of its own: a random adapter of the repository's
tiny base, with its 4-bit weights, as the pipeline registers it.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import psutil

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "tests/samples"))


def start(root: Path) -> dict[str, float]:
    """Seconds until ready, and of processor time until then by process."""
    from served_process import serve

    begin = time.perf_counter()
    with serve(root) as served:
        seconds = time.perf_counter() - begin
        process = psutil.Process(served.process.pid)
        return {
            "seconds": seconds,
            "server_cpu_s": used(process),
            "engine_cpu_s": max(map(used, process.children())),
            "server_mib": process.memory_info().rss / 2**20,
        }


def used(process: psutil.Process) -> float:
    """Processor seconds of a process."""
    times = process.cpu_times()
    return float(times.user + times.system)


def main() -> None:
    """Print a line for each start, and the medians."""
    from served_process import register

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--starts", type=int, default=5)
    words = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        register(Path(folder), "champion")
        found = [start(Path(folder)) for _ in range(words.starts)]
    for one in found:
        print(", ".join(f"{name} {value:.1f}" for name, value in one.items()))
    for name in found[0]:
        print(f"median {name} {median(one[name] for one in found):.1f}")


if __name__ == "__main__":
    main()
