"""Time a no-op `dvc repro`, compared with a pipeline whose stages are `true`.

    python benchmarks/noop_repro.py

Stages of the second depend only on each other. Prints the median of five pairs of runs,
and their ratio.
"""

import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]


def make_bare(folder: Path) -> None:
    """A DVC repository with a chain of as many stages, each of them `true`."""
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    chain: dict[str, dict[str, object]] = {}
    before: list[str] = []
    for name in stages:
        (folder / name).write_text(name, encoding="utf-8")
        out = {name: {"persist": True, "cache": False}}
        chain[name] = {"cmd": "true", "deps": before, "outs": [out]}
        before = [name]
    text = yaml.safe_dump({"stages": chain}, sort_keys=False)
    (folder / "dvc.yaml").write_text(text, encoding="utf-8")
    for command in (
        ["git", "init", "-q"],
        ["dvc", "init", "-q"],
        ["dvc", "repro", "-q"],
    ):
        subprocess.run(command, cwd=folder, check=True, capture_output=True)


def seconds(folder: Path) -> float:
    """Wall-clock time of a no-op `dvc repro`."""
    start = time.perf_counter()
    subprocess.run(["dvc", "repro"], cwd=folder, check=True, capture_output=True)
    return time.perf_counter() - start


def main() -> None:
    """Time both, alternating."""
    status = subprocess.run(
        ["dvc", "status", "-q"], cwd=ROOT, check=False, capture_output=True
    )
    if status.returncode:
        raise SystemExit("the pipeline is not up to date; first run: dvc repro")
    bare = Path(tempfile.mkdtemp())
    try:
        make_bare(bare)
        seconds(ROOT), seconds(bare)  # fill the caches  # pylint: disable=W0106
        pairs = [(seconds(ROOT), seconds(bare)) for _ in range(5)]
    finally:
        shutil.rmtree(bare)
    ratios = [ours / theirs for ours, theirs in pairs]
    ours, theirs = (statistics.median(side) for side in zip(*pairs))
    ratio = statistics.median(ratios)
    print(f"pipeline {ours:.2f} s, `true` {theirs:.2f} s, ratio {ratio:.2f}")
    print("each pair: " + ", ".join(f"{value:.2f}" for value in ratios))


if __name__ == "__main__":
    main()
