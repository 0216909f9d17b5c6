"""Keep `dvc exp run` from overwriting a params.yaml that git does not have.

DVC composes configs/ into params.yaml at every `dvc exp run`, so an edit made by hand
would be lost silently. DVC loads Hydra's plugins first, and Hydra calls this one before
it composes (docs/adr/0002-hand-edits-of-params.md).
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
"""DVC's folders of experiments, each named after a commit. Failed ones, which have no
ref, have a folder too."""
COMPOSED = Path(".dvc/tmp/composed")
"""Names of those folders whose params.yaml was composed. Others may contain an edit:
those of experiments that failed with `--no-hydra`."""
CHECK = "from graft.cli import main; main()", "params", "--check"


class HandEdits(SearchPathPlugin):  # type: ignore[misc]  # hydra is untyped
    """Refuses to compose over an edit. It adds nothing to the search path."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """Raises: DvcException if neither git nor configs/ has this params.yaml."""
        root = Path.cwd()
        if not (root / ".dvc").is_dir():
            return
        if Path(PARAMS).is_file() and not _git_has_it():
            check = _run(sys.executable, "-c", *CHECK)
            if check.returncode:
                raise DvcException(_message(check.stderr))
        atexit.register(_remember, root, _runs(root))


def _git_has_it() -> bool:
    """Whether params.yaml is that of HEAD, of an experiment, or composed for one.

    DVC's stashes do not count: it has just made one of this edit, and will drop it.
    """
    refs = _run("git", "for-each-ref", "--format=%(refname)", "refs/exps/").stdout
    commits = ["HEAD", *(ref for ref in refs.split() if EXPERIMENT.match(ref))]
    if COMPOSED.is_file():
        commits += COMPOSED.read_text(encoding="utf-8").split()
    # DVC's root may be a subfolder of the git repository.
    inside = _run("git", "rev-parse", "--show-prefix").stdout.removesuffix("\n")
    asked = "".join(f"{commit}:{inside}{PARAMS}\n" for commit in commits)
    known = _run("git", "cat-file", "--batch-check=%(objectname)", text=asked).stdout
    return _run("git", "hash-object", PARAMS).stdout.strip() in known.split()


def _runs(root: Path) -> set[str]:
    return {folder.name for folder in (root / RUNS).glob("*")}


def _remember(root: Path, before: set[str]) -> None:
    """Record the experiments that this process ran after composing."""
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


def _run(*words: str, text: str = "") -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        words, input=text, capture_output=True, text=True, check=False
    )
