"""Location of the tracking store, and tags that identify the code of a run."""

import fcntl
import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from graft import io
from graft.config import RegistryConfig

_SQLITE = "sqlite:///"
ARTIFACTS = "mlartifacts"
"""Folder of the artifacts, beside a SQLite file."""
BASELINE = "dvc.baseline"
EXPERIMENT_TAGS = {"dvc.experiment": "DVC_EXP_NAME", BASELINE: "DVC_EXP_BASELINE_REV"}
"""Tags of a run, and the variables that DVC sets in an experiment."""


REMOTE = re.compile(
    r"(?:https?://|ssh://)?(?:[^@/]+@)?(?P<host>[\w.-]+\.\w+)(?::\d+)?[:/]"
    r"(?P<path>[\w./-]+?)(?:\.git)?/?"
)
"""The address of a git remote: https://HOST/PATH.git or git@HOST:PATH.git."""


def repository_root(here: Path) -> Path:
    """The repository, also for a run in a temporary working copy.

    `dvc exp run --queue` and `--temp` run in a copy under `.dvc/tmp/exps/`, which is
    removed at the end.
    """
    for folder in (here, *here.parents):
        if folder.parts[-3:] == (".dvc", "tmp", "exps"):
            return folder.parents[2]
    return here


def tracking_uri(
    registry: RegistryConfig, here: Path, environment: Mapping[str, str] = os.environ
) -> str:
    """The address of the store.

    MLFLOW_TRACKING_URI overrides the configuration. A relative SQLite path is relative
    to the repository's root. In an address, a question mark begins the options and
    MLflow decodes %20; if the name of a folder contains one of these characters, the
    address is relative to the working directory.
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
    """Where artifacts are stored: beside a SQLite file; a server decides itself."""
    file = sqlite_file(uri)
    return (file.parent / ARTIFACTS).as_uri() if file else None


@contextmanager
def alone(uri: str) -> Iterator[None]:
    """Lock a SQLite file against other processes: two experiments of a queue that
    create its tables at the same time would corrupt them. The folder is locked."""
    file = sqlite_file(uri)
    if file is None or not file.parent.is_dir():
        yield
        return
    with locked(file.parent):
        yield


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Wait until no other process of this machine has locked the folder."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def code_tags() -> dict[str, str]:
    """Commit, whether there are uncommitted changes, and the DVC experiment with the
    commit from which it starts."""
    tags = {}
    if commit := _git("rev-parse", "HEAD"):
        tags["git.commit"] = tags["mlflow.source.git.commit"] = commit
        tags["git.dirty"] = str(bool(_git("status", "--porcelain"))).lower()
    for tag, name in EXPERIMENT_TAGS.items():
        if value := os.environ.get(name):
            tags[tag] = value
    return tags


def commit_address(commit: str) -> str:
    """The page of a commit on the host of the remote `origin`, such as GitHub; empty
    without one. A password in the remote's address is left out."""
    found = REMOTE.fullmatch(_git("remote", "get-url", "origin"))
    return f"https://{found['host']}/{found['path']}/commit/{commit}" if found else ""


def changed_files() -> list[str]:
    """Files that differ from the commit or are untracked, relative to the repository's
    root; without ignored files."""
    changed = _git("diff", "--name-only", "-z", "HEAD")
    untracked = _git("ls-files", "--others", "--exclude-standard", "--full-name", "-z")
    return sorted({*filter(None, f"{changed}\0{untracked}".split("\0"))})


AFTER_REGISTRATION = "certify"
"""The stage whose entry in dvc.lock is that of an earlier version, at registration."""


def lock_tags(stage: str) -> dict[str, str]:
    """The digest of dvc.lock without the running stage, which DVC writes into it only
    at the end of the stage, and without the one after registration."""
    import yaml

    lock = Path("dvc.lock")
    if not lock.is_file():
        return {}
    return {"dvc.lock": lock_digest(yaml.safe_load(lock.read_bytes()) or {}, stage)}


def lock_digest(lock: Mapping[str, Any], stage: str) -> str:
    """The digest of a dvc.lock without one stage and `AFTER_REGISTRATION`."""
    stages, skipped = lock.get("stages", {}), (stage, AFTER_REGISTRATION)
    others = {name: facts for name, facts in stages.items() if name not in skipped}
    return io.digest(json.dumps(others, sort_keys=True).encode())


def run_name(tags: dict[str, str]) -> str:
    """The name of the DVC experiment, otherwise the commit."""
    return tags.get("dvc.experiment") or tags.get("git.commit", "")[:7] or "run"


def _git(*words: str) -> str:
    try:
        done = subprocess.run(
            ["git", *words], capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
