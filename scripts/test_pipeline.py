"""Run the data stages on a source of data, and check that no row is lost.

The commands in dvc.yaml from convert to split run in a temporary folder.

    python scripts/test_pipeline.py configs/data/sample.yaml
    python scripts/test_pipeline.py my.yaml --override +experiment=domain_qa model=tiny
    python scripts/test_pipeline.py --root raw --format jsonl \\
        --files train=a.jsonl test=b.jsonl --fields source=question target=answer \\
        --set preprocess.max_length_ratio=null

For the formats parallel and sgm, a split has one file for each column:
`--files test.en=news.en test.fr=news.fr`.
"""

import argparse
import json
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import yaml

from graft.config.compose import compose

ROOT = Path(__file__).resolve().parents[1]
OUTPUTS = {
    "convert": "data/converted",
    "preprocess": "data/clean",
    "validate": "data/clean",
    "tokenize": "data/tokenized",
    "split": "data/splits",
}
"""Stage → folder of the rows that it keeps."""
ADDED = {"paraphrases": 1, "further chunks": 1, "paraphrases_left_out": -1}
"""Count in a report → 1 for rows that a stage adds, -1 for rows that it omits."""


def main() -> None:
    """Run the stages; the exit status is 1 if a stage fails or rows are lost."""
    args = parse_args()
    params = yaml.safe_load(compose(args.override, ROOT / "configs"))
    params["data"] = data_section(args)
    for change in args.set:
        key, _, value = change.partition("=")
        section, _, name = key.partition(".")
        params[section][name] = yaml.safe_load(value)
    for section, key in (("data", "root"), ("model", "path")):
        local = Path(params[section][key])
        if local.exists() or (local := ROOT / local).exists():
            params[section][key] = str(local.resolve())
    with tempfile.TemporaryDirectory(prefix="graft-pipeline-") as folder:
        work = Path(folder)
        text = yaml.safe_dump(params, allow_unicode=True, sort_keys=False)
        (work / "params.yaml").write_text(text, encoding="utf-8")
        run_stages(work, args.until)


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", nargs="?", type=Path, help="a file in configs/data")
    parser.add_argument("--root", help="folder of the source")
    parser.add_argument("--format", help="format of the source")
    parser.add_argument("--files", nargs="+", default=[], metavar="SPLIT=FILE")
    parser.add_argument("--fields", nargs="+", default=[], metavar="FIELD=COLUMN")
    parser.add_argument("--override", nargs="+", default=[], metavar="GROUP=CHOICE")
    parser.add_argument("--set", nargs="+", default=[], metavar="SECTION.KEY=VALUE")
    parser.add_argument(
        "--until", choices=OUTPUTS, default="split", help="last stage to run"
    )
    args = parser.parse_args()
    has_options = args.root and args.format and args.files and args.fields
    if not args.data and not has_options:
        parser.error(
            "pass a data YAML, or all of --root, --format, --files and --fields"
        )
    return args


def data_section(args: argparse.Namespace) -> dict[str, Any]:
    """The section `data`, from a YAML file with its defaults, and from options."""
    base = ROOT / "configs/data/base.yaml"
    data = load_yaml(args.data if args.data else base)
    files: dict[str, Any] = {}
    for pair in args.files:
        key, _, file = pair.partition("=")
        split, _, column = key.partition(".")
        if column:
            files.setdefault(split, {})[column] = file
        else:
            files[split] = file
    fields = dict(pair.split("=", 1) for pair in args.fields)
    options = {
        "root": args.root,
        "format": args.format,
        "files": files,
        "fields": fields,
        "name": data.get("name", "options"),
    }
    return data | {key: value for key, value in options.items() if value}


def load_yaml(path: Path) -> dict[str, Any]:
    """A YAML file in configs/data, merged with its defaults as in Hydra."""
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        sys.exit(f"error: {path}: {error}")
    merged: dict[str, Any] = {}
    for name in values.pop("defaults", ["_self_"]):
        if name == "_self_":
            merged |= values
            continue
        folders = (path.parent, ROOT / "configs/data")
        first, second = (folder / f"{name}.yaml" for folder in folders)
        merged |= load_yaml(first if first.exists() else second)
    return merged


def run_stages(work: Path, last: str) -> None:
    """Run each stage, and compare the rows of its output with those of its input."""
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    rows_in, lines = 0, []
    for name, folder in OUTPUTS.items():
        command = shlex.split(stages[name]["cmd"])
        done = subprocess.run([sys.executable, *command[1:]], cwd=work, check=False)
        if done.returncode:
            sys.exit(f"{name} ended with exit status {done.returncode}")
        report = work / "reports" / f"{name}.json"
        counts = json.loads(report.read_text(encoding="utf-8"))
        rows_in = counts["rows_in"] if name == "convert" else rows_in
        added = sum(
            counts.get("counts", {}).get(key, 0) * n for key, n in ADDED.items()
        )
        kept, rejected = num_rows(work / folder), num_rows(work / "data/rejects" / name)
        lines.append(f"{name:<12}{rows_in:>12,}{added:>12,}{kept:>12,}{rejected:>12,}")
        if rows_in + added != kept + rejected:
            sys.exit(
                f"{name}: {rows_in} rows read + {added} added, but {kept} kept"
                f" + {rejected} rejected"
            )
        rows_in = kept
        if name == last:
            break
    print(f"\n{'stage':<12}{'rows in':>12}{'added':>12}{'kept':>12}{'rejected':>12}")
    print("\n".join([*lines, "all rows are accounted for"]))


def num_rows(folder: Path) -> int:
    """Number of rows in all Parquet shards below a folder."""
    shards = folder.rglob("part-*.parquet")
    return sum(pq.read_metadata(shard).num_rows for shard in shards)


if __name__ == "__main__":
    main()
