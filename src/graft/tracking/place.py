"""Where a run is kept, and what it says of the code it ran."""

import fcntl
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from graft import io
from graft.config import RegistryConfig

_SQLITE = "sqlite:///"


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
    a relative SQLite file lies in the repository's root."""
    uri = environment.get("MLFLOW_TRACKING_URI") or registry.tracking_uri
    path = uri.removeprefix(_SQLITE)
    if uri.startswith(_SQLITE) and path and not path.startswith("/"):
        return f"{_SQLITE}{repository_root(here) / path}"
    return uri


def artifact_location(uri: str) -> str | None:
    """Where artifacts go: beside a SQLite file; a server has its own place."""
    if not uri.startswith(_SQLITE):
        return None
    return (Path(uri.removeprefix(_SQLITE)).parent / "mlartifacts").as_uri()


@contextmanager
def alone(uri: str) -> Iterator[None]:
    """Keep other processes from opening a SQLite file meanwhile: two of a queue that
    make its tables at once spoil each other's. The lock is on the file's folder."""
    folder = Path(uri.removeprefix(_SQLITE)).parent
    if not uri.startswith(_SQLITE) or not folder.is_dir():
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def code_tags() -> dict[str, str]:
    """Commit, whether the tree differs from it, dvc.lock and the DVC experiment."""
    tags = {}
    if commit := _git("rev-parse", "HEAD"):
        tags["git.commit"] = tags["mlflow.source.git.commit"] = commit
        tags["git.dirty"] = str(bool(_git("status", "--porcelain"))).lower()
    if (lock := Path("dvc.lock")).is_file():
        tags["dvc.lock"] = io.digest(lock.read_bytes())
    if experiment := os.environ.get("DVC_EXP_NAME"):
        tags["dvc.experiment"] = experiment
    return tags


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
