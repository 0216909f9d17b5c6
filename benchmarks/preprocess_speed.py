"""Compare the preprocess stage with a bare Polars script and datasets.map, in one run.

    python benchmarks/preprocess_speed.py --rows 1000000 --runs 3

All three do the same to the same rows, Parquet to Parquet: repair text (mojibake, HTML,
NFC, controls, blanks), drop by length, ratio and identity, and drop exact duplicates.
Each runs in its own process, whose start counts. graft also writes rejects, groups, ids
and counts, unlike the others. Prints rows/s, peak memory and ratios.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import corpus
import yaml

from graft.config.compose import compose

ROOT = Path(__file__).resolve().parents[1]
OFF = dict.fromkeys(
    ("email", "phone", "iban", "card", "ip", "nir", "ssn", "itin", "account"), "ignore"
)

POLARS = """
import sys
import polars as pl
from graft.data import normalize as n

def repair(column):
    text = pl.col(column)
    text = text.map_batches(n.strip_html, pl.String, is_elementwise=True)
    text = text.map_batches(n.repair_mojibake, pl.String, is_elementwise=True)
    text = text.str.normalize("NFC").str.replace_all(n._CONTROL, "")
    text = text.str.replace_all("\\r\\n?|[\\u2028\\u2029]", "\\n")
    text = text.str.replace_all(r"(\\S)\\t*[^\\S\\n\\t][^\\S\\n]*", "$1 ")
    text = text.str.replace_all(r"[^\\S\\n]+\\n", "\\n").str.replace_all(r"\\n{3,}", "\\n\\n")
    return text.str.strip_chars()

en, fr = pl.col("en").str.len_chars(), pl.col("fr").str.len_chars()
ratio = pl.max_horizontal(en, fr) / pl.min_horizontal(en, fr)
(
    pl.scan_parquet(sys.argv[1])
    .with_columns(repair("en"), repair("fr"))
    .filter((pl.min_horizontal(en, fr) >= 1) & (pl.max_horizontal(en, fr) <= 20000))
    .filter((ratio <= 4) & (pl.col("en") != pl.col("fr")))
    .unique(["en", "fr"], keep="first", maintain_order=True)
    .sink_parquet(sys.argv[2])
)
"""

DATASETS = """
import re, sys, unicodedata
import datasets, ftfy
from graft.data import markup as m, normalize as n

datasets.disable_progress_bars()
marked = re.compile("</?[A-Za-z]|" + m.ENTITY)
technical = re.compile(m._TECHNICAL.replace(m._EDGE, r'\\b'))
bare = re.compile(m._TAGS_AND_ADDRESSES)
control = re.compile(n._CONTROL)
blanks = re.compile(r"(\\S)\\t*[^\\S\\n\\t][^\\S\\n]*")
ends, breaks = re.compile(r"[^\\S\\n]+\\n"), re.compile(r"\\n{3,}")
line = re.compile("\\r\\n?|[\\u2028\\u2029]")

def repair(text):
    if marked.search(text) and not technical.search(bare.sub(" ", text)):
        text = m.strip_markup(text)
    text = ftfy.fix_encoding(text)
    text = line.sub("\\n", control.sub("", unicodedata.normalize("NFC", text)))
    return breaks.sub("\\n\\n", ends.sub("\\n", blanks.sub(r"\\1 ", text))).strip()

def repair_rows(rows):
    return {side: [repair(text) for text in rows[side]] for side in ("en", "fr")}

def fits(rows):
    return [
        min(len(e), len(f)) >= 1 and max(len(e), len(f)) <= 20000 and e != f
        and max(len(e), len(f)) / min(len(e), len(f)) <= 4
        for e, f in zip(rows["en"], rows["fr"])
    ]

seen = set()
def is_new(rows):
    found = []
    for pair in zip(rows["en"], rows["fr"]):
        key = hash(pair)
        found.append(key not in seen)
        seen.add(key)
    return found

rows = datasets.load_dataset(
    "parquet", data_files=sys.argv[1], split="train", cache_dir=sys.argv[3]
)
rows = rows.map(repair_rows, batched=True, num_proc=2)
rows = rows.filter(fits, batched=True, num_proc=2).filter(is_new, batched=True)
rows.to_parquet(sys.argv[2])
"""


def main() -> None:
    """Time them, alternating."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", nargs="+", default=["polars", "graft", "datasets"])
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="graft-speed-") as folder:
        work = Path(folder)
        corpus.write(work / "rows", args.rows, 0.01, "parquet")
        write_params(work)
        stage("convert", work, "--out converted --rejects r1 --report c.json")
        commands = {
            "polars": [
                sys.executable,
                "-c",
                POLARS,
                f"{work}/rows/*.parquet",
                "out.pq",
            ],
            "graft": [
                *(sys.executable, "-m", "graft.stages.preprocess"),
                *"--examples converted --decisions d --out clean --rejects r2".split(),
                *"--review review.csv --report p.json".split(),
            ],
            "datasets": [
                *(sys.executable, "-c", DATASETS, f"{work}/rows/*.parquet", "ds.pq"),
                str(work / "cache"),
            ],
        }
        found = {name: [] for name in args.only}
        for _ in range(args.runs):
            for name in args.only:
                subprocess.run(["rm", "-rf", str(work / "cache")], check=True)
                found[name].append(timed(commands[name], work))
        report(found, args.rows)
        kept = subprocess.run(
            [sys.executable, "-c", COUNT, str(work)],
            check=True,
            capture_output=True,
            text=True,
        )
        print(kept.stdout)


COUNT = """
import sys, polars as pl
from pathlib import Path
for name in ("out.pq", "clean/*.parquet", "ds.pq"):
    if list(Path(sys.argv[1]).glob(name)):
        print(f"{name:16} {pl.scan_parquet(sys.argv[1] + '/' + name).select(pl.len()).collect().item():,} rows kept")
"""


def write_params(work: Path, **changes: object) -> None:
    """params.yaml for the corpus, without features that the others lack."""
    values = yaml.safe_load(compose([], ROOT / "configs"))
    values["data"] |= {
        "root": str(work / "rows"),
        "format": "parquet",
        "files": {"all": "*.parquet"},
        "stratum": None,
        "split": None,
    }
    values["convert"]["max_rejects"] = 10**9
    values["preprocess"]["pii"]["actions"] = OFF
    values["preprocess"]["near_duplicates"]["policy"] = "ignore"
    values["preprocess"]["quality"] |= {
        "max_repetition": None,
        "placeholders": [],
        "lost_characters": "keep",
        "language": None,
    }
    values["preprocess"] |= changes
    text = yaml.safe_dump(values, allow_unicode=True)
    (work / "params.yaml").write_text(text, encoding="utf-8")


def stage(name: str, work: Path, flags: str) -> None:
    """Run a stage of graft."""
    command = [sys.executable, "-m", f"graft.stages.{name}", *flags.split()]
    subprocess.run(command, cwd=work, check=True)


def timed(command: list[str], work: Path) -> tuple[float, float]:
    """Seconds of a process, and its peak MiB, including its children.

    Not `ru_maxrss`, which includes the parent's memory at the fork.
    """
    start = time.perf_counter()
    peak = 0
    with subprocess.Popen(command, cwd=work, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            peak = max(peak, sum(map(_resident, _family(process.pid))))
            time.sleep(0.05)
    if process.returncode:
        raise SystemExit(f"{command[:3]} ended with status {process.returncode}")
    return time.perf_counter() - start, peak / 2**20


def _family(pid: int) -> list[int]:
    """A process and its children."""
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text("utf-8")
    except OSError:
        return [pid]
    return [pid, *(one for child in text.split() for one in _family(int(child)))]


def _resident(pid: int) -> int:
    """Resident bytes of a process."""
    try:
        pages = Path(f"/proc/{pid}/statm").read_text("utf-8").split()[1]
    except OSError:
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def report(found: dict[str, list[tuple[float, float]]], rows: int) -> None:
    """Medians and ratios to graft."""
    medians = {
        name: statistics.median(seconds for seconds, _ in runs)
        for name, runs in found.items()
    }
    for name, runs in found.items():
        times = ", ".join(f"{seconds:.2f}" for seconds, _ in runs)
        print(
            f"{name:9} {rows / medians[name]:>10,.0f} rows/s  {medians[name]:6.2f} s "
            f"({times})  peak {max(peak for _, peak in runs):,.0f} MiB  "
            f"graft is {medians[name] / medians['graft']:.2f} times as fast"
        )


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    main()
