"""Keep `dvc exp run` from overwriting a params.yaml that git does not have.

DVC composes configs/ into params.yaml at every `dvc exp run`, so an edit made by hand
would be gone without a word. DVC loads Hydra's plugins first, and Hydra asks this one
before it composes (docs/adr/0002-hand-edits-of-params.md).
"""

import subprocess
from pathlib import Path

from hydra.core.config_search_path import ConfigSearchPath
from hydra.plugins.search_path_plugin import SearchPathPlugin

PARAMS = "params.yaml"


class HandEdits(SearchPathPlugin):  # type: ignore[misc]  # hydra is untyped
    """Refuses to compose over an edit. It adds nothing to the search path."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """Raises: RuntimeError if params.yaml is neither HEAD's nor an experiment's."""
        root = _git("rev-parse", "--show-toplevel")
        if not root or Path.cwd() != Path(root) or not Path(PARAMS).is_file():
            return
        found = _git("hash-object", PARAMS)
        commits = ["HEAD", *_experiments()]
        if any(_git("rev-parse", f"{commit}:{PARAMS}") == found for commit in commits):
            return
        raise RuntimeError(_message())


def _experiments() -> list[str]:
    """Commits of DVC's experiments. Its stashes do not count: it has just made one of
    this very edit, and drops it."""
    refs = _git("for-each-ref", "--format=%(refname)", "refs/exps/").splitlines()
    return [ref for ref in refs if "stash" not in ref]


def _message() -> str:
    diff = _git("diff", "--unified=0", "HEAD", "--", PARAMS).splitlines()
    lines = [ln for ln in diff if ln[:1] in "+-" and ln[:3] not in ("+++", "---")]
    shown = "".join(f"\n  {line}" for line in lines[:20])
    return (
        f"{PARAMS}: edited by hand, and git does not have the edit; "
        f"`dvc exp run` would overwrite it{shown}\n"
        "  expected: values changed in configs/, or by -S key=value\n"
        "  fix: move the edit there and run `git checkout params.yaml`; or keep it for "
        "this run: dvc exp run --no-hydra; or commit it"
    )


def _git(*words: str) -> str:
    done = subprocess.run(
        ["git", *words], capture_output=True, text=True, check=False
    )
    return done.stdout.strip() if done.returncode == 0 else ""
