"""The data stages of dvc.yaml as processes, in a folder of their own."""

import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from graft.config.compose import compose

ROOT = Path(__file__).resolve().parents[2]
STAGES = ("convert", "preprocess", "validate", "tokenize", "split")


def write_source(folder: Path, num_rows: int, num_files: int = 3) -> None:
    """Parquet files of dissimilar pairs; one pair in a hundred has no answer."""
    folder.mkdir()
    number = pl.int_range(num_rows, eager=True)
    words = {
        letter: (number * step % 9973).cast(pl.String) + letter
        for letter, step in zip("bcdfg", (7, 11, 13, 17, 19), strict=True)
    }
    answered = number % 100 != 7
    frame = pl.DataFrame(words | {"n": number}).select(
        en=pl.format("it is {} {} {} {} {} {}", *"bcdfgn"),
        fr=pl.when(answered).then(pl.format("ce sont {} {} {} {} {} {}", *"nbcdfg")),
    )
    for part in range(num_files):
        rows = frame[part * num_rows // num_files : (part + 1) * num_rows // num_files]
        rows.write_parquet(folder / f"rows-{part}.parquet")


def write_params(folder: Path, source: Path, **changes: dict[str, Any]) -> None:
    """Write the repository's params.yaml for this source; keywords change sections."""
    params = yaml.safe_load(compose([], ROOT / "configs"))
    params["data"] |= {
        "root": str(source),
        "format": "parquet",
        "files": {"all": "*.parquet"},
        "stratum": None,
        "split": None,
    }
    params["convert"]["max_rejects"] = 10**6
    params["preprocess"]["quality"]["language"] = None
    params["model"]["path"] = str(ROOT / params["model"]["path"])
    params["split"]["test"] = 0.01
    for section, change in changes.items():
        params[section] |= change
    folder.mkdir(exist_ok=True)
    (folder / "params.yaml").write_text(yaml.safe_dump(params), "utf-8")


def start(name: str, folder: Path) -> "subprocess.Popen[str]":
    """Start a stage by its command in dvc.yaml."""
    command = shlex.split(_stages()[name]["cmd"])[1:]
    return subprocess.Popen(
        [sys.executable, *command],
        cwd=folder,
        text=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def finish(name: str, folder: Path) -> tuple[int, str]:
    """Run a stage; returns its exit status and its stderr."""
    process = start(name, folder)
    stderr = process.communicate(timeout=300)[1]
    return process.returncode, stderr


def outputs(name: str) -> list[str]:
    """Paths that a stage writes, including its reports."""
    stage = _stages()[name]
    named = [*stage["outs"], *stage.get("metrics", [])]
    return [path if isinstance(path, str) else next(iter(path)) for path in named]


def contents(path: Path) -> dict[str, bytes]:
    """Bytes of a file or of all files under a folder, by path; empty if missing."""
    if path.is_file():
        return {"": path.read_bytes()}
    files = (file for file in path.rglob("*") if file.is_file())
    return {str(file.relative_to(path)): file.read_bytes() for file in files}


def remains(folder: Path) -> list[str]:
    """Hidden files and folders that a run left behind."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob(".*"))


def _stages() -> dict[str, Any]:
    text = (ROOT / "dvc.yaml").read_text("utf-8")
    stages: dict[str, Any] = yaml.safe_load(text)["stages"]
    return stages
