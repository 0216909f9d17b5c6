"""A repository whose stages only copy files, with a version and its data."""

import copy
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml
from generations import make_generated, make_prediction
from lineages import make_known
from toy_repo import ToyRepo

from graft import io
from graft.errors import StorageError
from graft.inference.generated import write_generated
from graft.registry.lineage import to_outputs
from graft.registry.lineage_versions import VersionLineage

PREDICTIONS = "e" * 32 + ".dir"
STAGES = {
    "code": {"cmd": "mkdir -p data/code && cp code.txt data/code/generate"},
    "generate": {"cmd": "cat data/splits/a && cp -r given predictions"},
    "evaluate": {"cmd": "test -d predictions && cp scores.json reports/evaluate.json"},
}
LOGGED = [make_prediction("1", "a b c"), make_prediction("2", "d")]
SCORES = {"base": {"bleu": 0.0}, "tuned": {"bleu": 83.06}}


class Folders:
    """Data by their md5 in folders."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def link(self, md5: str, out: Path) -> Path:
        """A folder of links."""
        if not (self.root / md5).is_dir():
            raise StorageError(
                f"md5 {md5}", "is neither in the cache nor on the remote"
            )
        shutil.copytree(self.root / md5, out, copy_function=os.symlink)
        return out


class NoStore:
    """A tracking store without artifacts."""

    def fetch(self, _run_id: str, _path: str, _out: Path) -> Path | None:
        """No artifact."""
        return None


class Project:
    """A repository with a version, and its data."""

    def __init__(self, root: Path) -> None:
        self.repo = ToyRepo(root / "repo", STAGES, {})
        self.folder, self.data = self.repo.folder, Folders(root / "data")
        (self.data.root / "splits").mkdir(parents=True)
        (self.data.root / "splits/a").write_text("a split\n", encoding="utf-8")
        write_generated(self.data.root / PREDICTIONS, make_generated(*LOGGED))
        self.write("code.txt", "code 1")
        (self.folder / "reports").mkdir()
        io.write_json(self.folder / "scores.json", SCORES)
        write_generated(self.folder / "given", make_generated(*LOGGED))
        self.write("reports/.gitkeep", "")
        self.commit = self.save()

    def copy(self, root: Path) -> "Project":
        """A copy with its data."""
        shutil.copytree(self.folder.parent, root)
        other = copy.copy(self)
        other.repo = copy.copy(self.repo)
        other.folder = other.repo.folder = root / "repo"
        other.data = Folders(root / "data")
        return other

    def write(self, name: str, text: str) -> None:
        """Write a file."""
        (self.folder / name).write_text(text, encoding="utf-8")

    def save(self) -> str:
        """Commit all files; returns the commit."""
        self.repo.commit()
        return self.repo("git", "rev-parse", "HEAD").strip()

    def known(self, **changes: Any) -> VersionLineage:
        """The version, as registered from the first commit."""
        code = {"path": "data/code/generate", "md5": "79bd3188309884a2199366dd068dd91b"}
        stages = {
            "split": {"outs": [{"path": "data/splits", "md5": "splits"}]},
            "generate": {
                "deps": [{"path": "data/splits", "md5": "splits"}, code],
                "outs": [{"path": "predictions", "md5": PREDICTIONS}],
            },
            "evaluate": {"deps": [{"path": "predictions", "md5": PREDICTIONS}]},
        }
        values: dict[str, Any] = {
            "lock": {"schema": "2.0", "stages": stages},
            "outputs": tuple(to_outputs({"stages": stages}, "", frozenset())),
            "params": yaml.safe_load(self.repo.read("params.yaml")),
            "commit": self.commit,
            "base": "",
            "scores": SCORES,
            "processor": "",
        }
        return replace(make_known(**(values | changes)), commits=[])
