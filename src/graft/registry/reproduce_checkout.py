"""A clean checkout of a version's commit, in which stages run again with its code."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import yaml

from graft import io
from graft.errors import ModelError
from graft.process.programs import run_program
from graft.registry.lineage import PARAMETERS, Lineage
from graft.registry.lineage_data import Data

PIPELINE, CODE = "dvc.yaml", "data/code"
"""The pipeline, and the output of its stage `code`: digests of the stages' code."""
FOREIGN = ("DVC_", "MLFLOW_", "PYTHONPATH", "GIT_")
"""Variables that would let a stage write elsewhere, or run other code."""

HUB_COMMIT = re.compile(r"[0-9a-f]{40}")
"""The revision of a base model on the Hub; that of a folder is shorter."""


class Checkout:
    """A clone of a repository at a commit, with the parameters of a version.

    Args:
        folder: does not exist yet.
        root: the repository.
        commit: the commit.
        lineage: of the version.
    """

    def __init__(self, folder: Path, root: Path, commit: str, lineage: Lineage) -> None:
        self.folder, self._root, self._lineage = folder, root, lineage
        # Shared objects, so that commits are there that no branch has any more.
        words = ("clone", "--quiet", "--shared", "--no-checkout")
        run_program("git", *words, str(root.absolute()), str(folder))
        run_program("git", "checkout", "--quiet", "--detach", commit, folder=folder)
        if lineage.params:
            text = yaml.safe_dump(dict(lineage.params), sort_keys=False)
            io.write_text(folder / PARAMETERS, text)
        self._add_base()

    def differing_code(self, stages: Sequence[str]) -> list[str]:
        """The stages whose code in this checkout is not that of the version."""
        known = self._lineage.code
        wanted = [name for name in stages if name in known]
        if wanted and self.run("code"):
            return wanted
        return [
            name for name in wanted if _md5(self.folder / CODE / name) != known[name]
        ]

    def restore(self, stages: Sequence[str], data: Data, logged: Path | None) -> None:
        """Put what the stages read, and none of them writes, where they expect it.

        Args:
            stages: stages that will run.
            data: DVC's data by md5.
            logged: files that git stores, as the version's run logged them.
        Raises: StorageError if data are missing.
        """
        for path, md5 in self._inputs(stages):
            target = self.folder / path
            places = [target, self._root / path, *([logged / path] if logged else [])]
            if found := next((p for p in places if _md5(p) == md5), None):
                if found != target:
                    _copy(found, target)
                continue
            io.remove(target)
            with tempfile.TemporaryDirectory() as folder:
                linked = data.link(md5, Path(folder) / "data")
                _copy(linked, target)  # MLflow refuses to log links

    def run(self, stage: str) -> int:
        """Run a stage as DVC would, with this checkout's code; its output goes to
        stderr. Returns: its exit status."""
        command = self._command(stage)
        commands = [command] if isinstance(command, str) else command
        for one in commands:
            done = subprocess.run(
                one,
                shell=True,
                cwd=self.folder,
                env=self._environment(),
                stdout=sys.stderr,
                check=False,
            )
            if done.returncode:
                return done.returncode
        return 0

    def _command(self, stage: str) -> str | list[str]:
        """What DVC runs for a stage. Raises: ModelError if the pipeline lacks it."""
        from dvc.exceptions import DvcException
        from dvc.repo import Repo

        path = str(self.folder / PIPELINE)  # a relative one is that of this process
        try:
            with Repo(str(self.folder)) as repo:
                found: str | list[str] = repo.stage.load_one(path, stage).cmd
        except DvcException as error:
            raise ModelError(
                path,
                f"stage {stage} cannot be read: {error}",
                expected="the pipeline of the version's commit",
                fix="use a version that was registered by this pipeline",
            ) from error
        return found

    def _environment(self) -> Mapping[str, str]:
        """Variables of a stage: its own code, and a tracking store of its own."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(FOREIGN)}
        path = [str(Path(sys.executable).parent), os.environ.get("PATH", "")]
        own = self.folder / "src"
        code = {"PYTHONPATH": str(own)} if (own / "graft").is_dir() else {}
        store = {"MLFLOW_TRACKING_URI": f"sqlite:///{self.folder}/mlflow.db"}
        return kept | {"PATH": os.pathsep.join(path)} | code | store

    def _inputs(self, stages: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Path and md5 of what the stages read and none of them writes."""
        found = self._lineage.lock.get("stages", {})
        made = {
            out["path"]
            for name in stages
            for out in found.get(name, {}).get("outs", ())
        }
        known = {one.path: one.md5 for one in self._lineage.outputs}
        for name in stages:
            for dep in found.get(name, {}).get("deps", ()):
                path = dep["path"]
                if path not in made and not path.startswith(f"{CODE}/"):
                    made.add(path)
                    yield path, known.get(path, dep.get("md5", ""))

    def _add_base(self) -> None:
        """Link a base model's folder that git does not have. The stages check its
        digest. Raises: ModelError if it is a folder that is not here."""
        base = Path(self._lineage.base)
        if not self._lineage.base or (self.folder / base).is_dir():
            return
        if (self._root / base).is_dir():
            (self.folder / base).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / base).symlink_to((self._root / base).absolute())
        elif not HUB_COMMIT.fullmatch(self._lineage.base_revision):
            raise ModelError(
                str(base),
                "the base model's folder is not here",
                expected=f"the folder of revision {self._lineage.base_revision}",
                fix="copy it to this path of the repository",
            )


def _copy(source: Path, target: Path) -> None:
    """Copy a file or folder, and the files to which links in it lead."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        shutil.copyfile(source, target)


def _md5(path: Path) -> str:
    """The md5 of a file; empty if there is none."""
    if not path.is_file():
        return ""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "md5").hexdigest()
