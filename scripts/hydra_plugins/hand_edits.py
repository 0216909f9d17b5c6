"""Prevents `dvc exp run` from overwriting edits of params.yaml that are not in git.

Each `dvc exp run` composes configs/ into params.yaml, so an edit by hand would be lost
silently. DVC loads Hydra's plugins, and Hydra calls this plugin before it composes
(docs/adr/0002-hand-edits-of-params.md).
"""

import atexit
import re
import subprocess
import sys
from pathlib import Path

from dvc.exceptions import DvcException
from hydra.core.config_search_path import ConfigSearchPath
from hydra.plugins.search_path_plugin import SearchPathPlugin

PARAMS = "params.yaml"
EXPERIMENT = re.compile("refs/exps/[0-9a-f]{2}/")
RUNS = Path(".dvc/tmp/exps/run")
"""DVC's folders of experiments, each named after a commit. Failed experiments, which
have no git ref, also have a folder."""
COMPOSED = Path(".dvc/tmp/composed")
"""File with the names of those folders whose params.yaml was composed. The other
folders may contain an edit: those of experiments that failed with `--no-hydra`."""
CHECK = "from graft.cli import main; main()", "params", "--check"


class HandEdits(SearchPathPlugin):  # type: ignore[misc]  # hydra is untyped
    """Refuses to overwrite an edit; does not change the search path."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """Raises: DvcException if neither git nor configs/ has the params.yaml."""
        root = Path.cwd()
        if not (root / ".dvc").is_dir():
            return
        if Path(PARAMS).is_file() and not _is_in_git():
            check = _run(sys.executable, "-c", *CHECK)
            if check.returncode:
                raise DvcException(_message(check.stderr))
        atexit.register(_remember, root, _runs(root))


def _is_in_git() -> bool:
    """Whether params.yaml equals that of HEAD or of an experiment.

    DVC's stashes do not count: DVC has just stashed this edit, and will drop the stash.
    """
    refs = _run("git", "for-each-ref", "--format=%(refname)", "refs/exps/").stdout
    commits = ["HEAD", *(ref for ref in refs.split() if EXPERIMENT.match(ref))]
    if COMPOSED.is_file():
        commits += COMPOSED.read_text(encoding="utf-8").split()
    # DVC's root may be a subfolder of the git repository.
    prefix = _run("git", "rev-parse", "--show-prefix").stdout.removesuffix("\n")
    objects = "".join(f"{commit}:{prefix}{PARAMS}\n" for commit in commits)
    hashes = _run("git", "cat-file", "--batch-check=%(objectname)", text=objects).stdout
    return _run("git", "hash-object", PARAMS).stdout.strip() in hashes.split()


def _runs(root: Path) -> set[str]:
    return {folder.name for folder in (root / RUNS).glob("*")}


def _remember(root: Path, before: set[str]) -> None:
    """Record the experiments that this process composed and ran."""
    if new := _runs(root) - before:
        with (root / COMPOSED).open("a", encoding="utf-8") as file:
            file.writelines(f"{name}\n" for name in sorted(new))


def _message(check: str) -> str:
    keys = [line for line in check.splitlines() if line.startswith("  - ")]
    return "\n".join(
        [
            f"{PARAMS}: edited by hand, and git does not have the edit; "
            "`dvc exp run` would overwrite it",
            *keys,
            "  expected: values changed in configs/, or by -S key=value",
            f"  fix: move the edit there and `git checkout HEAD {PARAMS}`; or run with "
            "it: `dvc exp run --no-hydra` or `dvc repro`; or commit it",
        ]
    )


def _run(*command: str, text: str = "") -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command, input=text, capture_output=True, text=True, check=False
    )
