"""Measure time, memory and disk space of all data stages on a corpus of any size.

    python benchmarks/whole_corpus.py --rows 1000000 10000000

Short pairs with 1 % dirt (see corpus.py), the default rules of configs/, the tokenizer
of models/tiny. Each stage runs in its own process. Disk space is that of its output
and the peak while it runs. The last column extrapolates the time to the 40.8 million
pairs of WMT14 fr-en.
"""

import argparse
import tempfile
import threading
from pathlib import Path

import corpus
import yaml
from preprocess_speed import timed, write_params

ROOT = Path(__file__).resolve().parents[1]
WMT14 = 40_836_715
STAGES = {
    "convert": "--out converted --rejects r/convert --report convert.json",
    "preprocess": "--examples converted --decisions d --out clean "
    "--rejects r/preprocess --review review.csv --report preprocess.json",
    "validate": "--examples clean --report validate.json --page validate.html",
    "tokenize": "--examples clean --gate validate.json --out tokenized "
    "--rejects r/tokenize --report tokenize.json --page tokenize.md",
    "split": "--sequences tokenized --out splits --rejects r/split --report split.json",
}


def main() -> None:
    """Run the stages for each number of rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000])
    parser.add_argument("--dir", type=Path, help="a folder with enough disk space")
    args = parser.parse_args()
    for rows in args.rows:
        with tempfile.TemporaryDirectory(prefix="graft-corpus-", dir=args.dir) as name:
            run(Path(name), rows)


def run(work: Path, rows: int) -> None:
    """Run the stages and print a line for each."""
    corpus.write(work / "rows", rows, 0.01, "parquet")
    defaults = yaml.safe_load((ROOT / "params.yaml").read_text("utf-8"))
    write_params(work, **defaults["preprocess"])
    values = yaml.safe_load((work / "params.yaml").read_text("utf-8"))
    values["model"]["path"] = str(ROOT / values["model"]["path"])
    (work / "params.yaml").write_text(yaml.safe_dump(values), encoding="utf-8")
    print(f"{rows:,} rows, {size(work / 'rows') / 1e6:,.0f} MB of Parquet")
    print("| stage | s | rows/s | peak MiB | peak MB | output MB | files | 40.8 M |")
    print("|---|---|---|---|---|---|---|---|")
    total = 0.0
    for stage, flags in STAGES.items():
        before = size(work)
        watch = Watch(work)
        python = str(ROOT / ".venv/bin/python")
        seconds, peak = timed(
            [python, "-m", f"graft.stages.{stage}", *flags.split()], work
        )
        most = watch.stop() - before
        total += seconds
        left = size(work) - before
        files = sum(1 for path in work.rglob("part-*.parquet"))
        print(
            f"| {stage} | {seconds:.0f} | {rows / seconds:,.0f} | {peak:,.0f} | "
            f"{most / 1e6:,.0f} | {left / 1e6:,.0f} | {files} | "
            f"{seconds * WMT14 / rows / 60:.0f} min |",
            flush=True,
        )
    print(f"all {total:.0f} s; 40.8 M: {total * WMT14 / rows / 3600:.1f} h", flush=True)


class Watch(threading.Thread):
    """Measures a folder's size every second."""

    def __init__(self, folder: Path) -> None:
        super().__init__(daemon=True)
        self._folder, self._most, self._ended = folder, 0, threading.Event()
        self.start()

    def run(self) -> None:
        """Measure until `stop` is called."""
        while not self._ended.wait(1):
            self._most = max(self._most, size(self._folder))

    def stop(self) -> int:
        """The largest size so far, in bytes."""
        self._ended.set()
        self.join()
        return max(self._most, size(self._folder))


def size(folder: Path) -> int:
    """Bytes of all files in a folder, except those deleted in the meantime."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except FileNotFoundError:
            continue
    return total


if __name__ == "__main__":
    main()
