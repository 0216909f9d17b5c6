"""Where a run is kept, and what it says of the code it ran."""

import fcntl
import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from graft import io
from graft.config import RegistryConfig

_SQLITE = "sqlite:///"
ARTIFACTS = "mlartifacts"
"""The folder of artifacts beside a SQLite file."""


def repository_root(here: Path) -> Path:
    """The folder that outlives this run.

    `dvc exp run --queue` and `--temp` work in a copy under `.dvc/tmp/exps/`, which is
    removed when they are done.
    """
    for folder in (here, *here.parents):
        if folder.parts[-3:] == (".dvc", "tmp", "exps"):
            return folder.parents[2]
    return here


def tracking_uri(
    registry: RegistryConfig, here: Path, environment: Mapping[str, str] = os.environ
) -> str:
    """The address of the store. MLFLOW_TRACKING_URI goes before the configuration, and
    a relative SQLite file lies in the repository's root.

    In an address a question mark begins the options, and MLflow takes %20 for a blank:
    where a folder's name has such a sign, the path is relative to the working
    directory.
    """
    uri = environment.get("MLFLOW_TRACKING_URI") or registry.tracking_uri
    path = uri.removeprefix(_SQLITE)
    if not uri.startswith(_SQLITE) or not path or path.startswith("/"):
        return uri
    root = repository_root(here)
    if any(sign in str(root) for sign in "?%"):
        return f"{_SQLITE}{os.path.relpath(root, here)}/{path}"
    return f"{_SQLITE}{root / path}"


def sqlite_file(uri: str) -> Path | None:
    """The absolute path of a SQLite store's file."""
    path = uri.removeprefix(_SQLITE).partition("?")[0]
    return Path(os.path.abspath(path)) if uri.startswith(_SQLITE) and path else None


def artifact_location(uri: str) -> str | None:
    """Where artifacts go: beside a SQLite file; a server has its own place."""
    file = sqlite_file(uri)
    return (file.parent / ARTIFACTS).as_uri() if file else None


@contextmanager
def alone(uri: str) -> Iterator[None]:
    """Keep other processes from opening a SQLite file meanwhile: two of a queue that
    make its tables at once spoil each other's. The lock is on the file's folder."""
    file = sqlite_file(uri)
    if file is None or not file.parent.is_dir():
        yield
        return
    handle = os.open(file.parent, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def code_tags() -> dict[str, str]:
    """Commit, whether the tree differs from it, and the DVC experiment."""
    tags = {}
    if commit := _git("rev-parse", "HEAD"):
        tags["git.commit"] = tags["mlflow.source.git.commit"] = commit
        tags["git.dirty"] = str(bool(_git("status", "--porcelain"))).lower()
    if experiment := os.environ.get("DVC_EXP_NAME"):
        tags["dvc.experiment"] = experiment
    return tags


def lock_tags(stage: str) -> dict[str, str]:
    """The digest of what dvc.lock has of other stages than the one that runs: DVC
    writes a stage into it when it has ended."""
    import yaml

    lock = Path("dvc.lock")
    if not lock.is_file():
        return {}
    stages = (yaml.safe_load(lock.read_bytes()) or {}).get("stages", {})
    others = {name: facts for name, facts in stages.items() if name != stage}
    return {"dvc.lock": io.digest(json.dumps(others, sort_keys=True).encode())}


def run_name(tags: dict[str, str]) -> str:
    """The DVC experiment, else the commit."""
    return tags.get("dvc.experiment") or tags.get("git.commit", "")[:7] or "run"


def _git(*words: str) -> str:
    try:
        done = subprocess.run(
            ["git", *words], capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
