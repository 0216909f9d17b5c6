"""The default pipeline in a copy of this repository, whose code a test may break."""

import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlflow
import yaml

from graft.io import remove

ROOT = Path(__file__).resolve().parents[2]
PARTS = (
    "configs",
    "data/sample",
    "decisions",
    "models/tiny",
    "scripts",
    "src",
    "tests/expected",
    "dvc.yaml",
    "params.yaml",
)
STAGES = (
    "preflight",
    "convert",
    "preprocess",
    "validate",
    "tokenize",
    "split",
    "profile",
    "train",
    "generate",
    "evaluate",
    "certify",
)
TRACKED = (".graft", "checkpoints", "mlflow.db", "mlartifacts", "mlruns")


@dataclass(frozen=True)
class Outcome:
    """How a run ended: the failed stage, `verify` or `passed`; and the output of the
    last command."""

    end: str
    text: str


class Pipeline:
    """A copy of the repository in its own folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        document = yaml.safe_load((folder / "dvc.yaml").read_text("utf-8"))
        self._stages: dict[str, Any] = document["stages"]

    @classmethod
    def of_repository(cls, folder: Path) -> "Pipeline":
        """Copy the committed files."""
        for name in PARTS:
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
            copy(ROOT / name, target)
        return cls(folder)

    def copy(self, folder: Path) -> "Pipeline":
        """Copy it with all results, but without runs, registry and checkpoints."""
        ignored = shutil.ignore_patterns(*TRACKED)
        return Pipeline(Path(shutil.copytree(self.folder, folder, ignore=ignored)))

    def run(self, first: str = "preflight") -> Outcome:
        """Run the stages from `first` on like DVC, then the checks of `make verify`."""
        for name in STAGES[STAGES.index(first) :]:
            for out in self._outs(name):
                remove(out)
            done = self._start(shlex.split(self._stages[name]["cmd"])[1:])
            if done.returncode:
                return Outcome(name, done.stdout)
        done = self._start(["scripts/check_pipeline.py"])
        return Outcome("verify" if done.returncode else "passed", done.stdout)

    def aliases(self) -> set[str]:
        """Aliases of the registered model."""
        client = mlflow.MlflowClient(f"sqlite:///{self.folder / 'mlflow.db'}")
        models = client.search_registered_models()
        return {alias for model in models for alias in model.aliases}

    def edit(self, file: str, old: str, new: str) -> None:
        """Replace a text that occurs in a file once."""
        path = self.folder / file
        text = path.read_text("utf-8")
        assert text.count(old) == 1, f"{file} has {text.count(old)} times {old!r}"
        path.write_text(text.replace(old, new), encoding="utf-8")

    def set(self, **changes: Any) -> None:
        """Change params.yaml: section__key=value."""
        path = self.folder / "params.yaml"
        values = yaml.safe_load(path.read_text("utf-8"))
        for name, value in changes.items():
            section, key = name.split("__")
            values[section][key] = value
        path.write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")

    def _outs(self, name: str) -> list[Path]:
        items = [*self._stages[name].get("outs", []),
                 *self._stages[name].get("metrics", [])]  # fmt: skip
        paths = [
            path
            for item in items
            for path in ([item] if isinstance(item, str) else item)
        ]
        return [self.folder / path for path in paths]

    def _start(self, words: list[str]) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, *words],
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
