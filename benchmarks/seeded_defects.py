"""Plant defects of many kinds in known rows, run the data stages, check that each is
found and that no clean row is lost or altered.

    python benchmarks/seeded_defects.py [--rows 10000] [--each 20] [--seed 0]

Clean rows are sentences of `data/sample`; a tenth of them ends with text that only
looks like a defect. Prints a table of kinds. The exit status is 1 if a defect is missed
or a clean row is lost or altered.
"""

import argparse
import shlex
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import yaml
from defect_corpus import Corpus, Text, make_corpus
from defect_rejects import REJECTS
from defect_repairs import REPAIRS
from defect_rows import LONGEST, Planted, Row

from graft.config.compose import compose

ROOT = Path(__file__).resolve().parents[1]
KINDS = REJECTS | REPAIRS
STAGES = ("convert", "preprocess", "validate", "tokenize", "split")
Run = Callable[[Sequence[str], Path], None]
"""Runs `python …` with these arguments in a folder."""


def run_process(arguments: Sequence[str], folder: Path) -> None:
    """Run in a new process. Raises: SystemExit if it fails."""
    done = subprocess.run([sys.executable, *arguments], cwd=folder, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(arguments[:2])} ended with status {done.returncode}")


def run_pipeline(corpus: Corpus, work: Path, run: Run = run_process) -> None:
    """Write the source and params.yaml, and run the commands of dvc.yaml's stages."""
    (work / "raw").mkdir()
    (work / "raw/pairs.jsonl").write_bytes(b"\n".join(corpus.lines))
    (work / "benchmark.txt").write_text("\n".join(corpus.benchmark), "utf-8")
    text = yaml.safe_dump(_params(len(corpus.lines)), allow_unicode=True)
    (work / "params.yaml").write_text(text, "utf-8")
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text("utf-8"))["stages"]
    for name in STAGES:
        run(shlex.split(stages[name]["cmd"])[1:], work)


def _params(rows: int) -> dict[str, Any]:
    params: dict[str, Any] = yaml.safe_load(compose([], ROOT / "configs"))
    params["data"] |= {
        "root": "raw",
        "stratum": "kind",
        "split": "set",
        "required": ["licence"],
        "ranges": {"score": [0.0, 1.0]},
        "strata": ["news", "law"],
    }
    params["convert"]["max_rejects"] = rows
    params["preprocess"] |= {"min_chars": 2, "max_chars": LONGEST}
    params["preprocess"]["quality"]["language"] = {
        "expected": {"user": "en", "assistant": "fr"},
        "min_bytes": 12,
        "min_margin": 0.15,
    }
    params["validate"] |= {"max_leaked": rows}  # validate counts them, split drops them
    params["prompt"] |= {"style": "chat", "pattern": None}
    params["model"]["path"] = str(ROOT / params["model"]["path"])
    params["split"]["leakage"] = {
        "policy": "drop",
        "n": 8,
        "threshold": 0.5,
        "max_common": 10,
        "answers": False,
        "benchmarks": ["benchmark.txt"],
        "max_leaked": 0,
        "num_shown": 5,
    }
    return params


@dataclass(frozen=True)
class Outcome:
    """The outcome of each line: stage and reason of the reject, or the final texts."""

    rejects: dict[int, tuple[str, str]]
    arrived: dict[int, Text]

    @classmethod
    def read(cls, work: Path) -> "Outcome":
        """Read a finished run. Raises: ValueError if a line occurs twice."""
        rejects = _lines(work / "data/rejects", ["where", "stage", "reason"])
        arrived = _lines(work / "data/splits", ["where", "messages"])
        if len({line["where"] for line in rejects + arrived}) < len(rejects + arrived):
            raise ValueError("a row occurs twice, or was both rejected and kept")
        return cls(
            {_number(line): (line["stage"], line["reason"]) for line in rejects},
            {_number(line): _said(line) for line in arrived},
        )

    def fault(self, number: int, planted: Planted) -> str:
        """The error in the outcome of a planted line; empty if there is none."""
        if planted.outcome is None:
            return self.change(number, planted.repaired or {})
        stage, reason = planted.outcome
        found = self.rejects.get(number, ("", ""))
        if found[0] == stage and found[1].startswith(reason):
            return ""
        return ": ".join(found) if found[0] else f"kept {self.arrived.get(number)}"

    def change(self, number: int, row: Row) -> str:
        """How a row differs from the expected one; empty if it does not."""
        if number not in self.arrived:
            return ": ".join(self.rejects.get(number, ("vanished",)))
        found, wanted = self.arrived[number], (row["en"], row["fr"])
        return "" if found == wanted else f"{found} in place of {wanted}"


def _number(line: dict[str, Any]) -> int:
    return int(line["where"].rpartition(":")[2])


def _said(line: dict[str, Any]) -> Text:
    asked, answered = (message["content"] for message in line["messages"])
    return asked, answered


def _lines(folder: Path, columns: list[str]) -> list[dict[str, Any]]:
    shards = sorted(folder.rglob("part-*.parquet"))
    tables = [pq.read_table(shard, columns=columns) for shard in shards]
    found: list[dict[str, Any]] = pa.concat_tables(tables).to_pylist()
    return found


def faults(corpus: Corpus, outcome: Outcome) -> dict[int, tuple[str, str]]:
    """Line → kind and error."""
    missed = {
        number: (kind, outcome.fault(number, planted))
        for number, (kind, planted) in corpus.planted.items()
    }
    harmed = {n: ("clean", outcome.change(n, row)) for n, row in corpus.clean.items()}
    return {number: found for number, found in (missed | harmed).items() if found[1]}


def main() -> None:
    """Plant, run, check and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000, help="clean rows")
    parser.add_argument("--each", type=int, default=20, help="defects of each kind")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    corpus = make_corpus(args.rows, args.each, KINDS, args.seed)
    with tempfile.TemporaryDirectory(prefix="graft-defects-") as folder:
        run_pipeline(corpus, Path(folder))
        outcome = Outcome.read(Path(folder))
    wrong = faults(corpus, outcome)
    counts = Counter(kind for kind, _ in wrong.values())
    print(f"\n{'kind':<32}{'planted':>8}{'found':>7}  how")
    shown = dict(corpus.planted.values())
    for kind, planted in sorted(
        shown.items(), key=lambda item: [*KINDS].index(item[0])
    ):
        how = ": ".join(planted.outcome) if planted.outcome else "repaired"
        print(f"{kind:<32}{args.each:>8}{args.each - counts[kind]:>7}  {how}")
    lost = counts.pop("clean", 0)
    print(
        f"{len(KINDS)} kinds, {len(corpus.planted):,} planted, {counts.total()} missed;"
        f" {len(corpus.clean):,} clean rows, {lost} lost or altered"
    )
    for number, (kind, what) in wrong.items():
        print(f"  line {number} ({kind}): {what[:400]}")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
