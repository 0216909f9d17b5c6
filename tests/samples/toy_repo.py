"""A small repository with this one's configuration and other stages."""

import copy
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
COPIED = (
    "configs",
    "params.yaml",
    "scripts/hydra_plugins",
    ".dvc/config",
    ".gitignore",
)


class ToyRepo:
    """A folder under git and DVC.

    Args:
        folder: made here.
        stages: each stage's entry in dvc.yaml.
        environment: variables of every command.
    """

    def __init__(
        self, folder: Path, stages: Mapping[str, Any], environment: Mapping[str, str]
    ) -> None:
        self.folder = folder
        kept = {k: v for k, v in os.environ.items() if not k.startswith("MLFLOW_")}
        self.environment = kept | {
            "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT / "src"),
            "DVC_NO_ANALYTICS": "1",
            "HOME": str(folder.parent),
            "GIT_AUTHOR_NAME": "A",
            "GIT_AUTHOR_EMAIL": "a@example.org",
            "GIT_COMMITTER_NAME": "A",
            "GIT_COMMITTER_EMAIL": "a@example.org",
            **environment,
        }
        folder.mkdir()
        self("git", "init", "-q", ".")
        self("dvc", "init", "-q")
        for name in COPIED:
            source, target = ROOT / name, folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(
                    source, target, ignore=shutil.ignore_patterns("__pycache__")
                )
            else:
                shutil.copy(source, target)
        (folder / "dvc.yaml").write_text(yaml.safe_dump({"stages": dict(stages)}))
        self.commit()

    def commit(self) -> None:
        """Commit all files."""
        self("git", "add", "--all")
        self("git", "commit", "-qm", "All")

    def __call__(self, *words: str, fails: bool = False) -> str:
        """Run a command; returns its output."""
        done = subprocess.run(
            words,
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert bool(done.returncode) == fails, done.stdout
        return done.stdout

    def clone(self, source: Path, folder: Path) -> "ToyRepo":
        """Clone a repository, with the same environment."""
        self("git", "clone", "-q", str(source), str(folder))
        other = copy.copy(self)
        other.folder = folder
        return other

    def read(self, name: str) -> str:
        """Text of a file."""
        return (self.folder / name).read_text(encoding="utf-8")

    def write(self, name: str, text: str) -> None:
        """Write a file."""
        (self.folder / name).write_text(text, encoding="utf-8")
