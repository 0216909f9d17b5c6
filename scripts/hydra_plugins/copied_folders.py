"""Refuse queued and temporary experiments where DVC could not make their copies.

DVC 3.67 writes the folder's path into addresses without quoting it: git then looks for
the repository in `a` of `a#1`, and the queue for its results, for which it waits for
ever (dvc/repo/experiments/executor/local.py, dvc_task/app/filesystem.py).
"""

import sys
from pathlib import Path

from dvc.exceptions import DvcException
from hydra.core.config_search_path import ConfigSearchPath
from hydra.plugins.search_path_plugin import SearchPathPlugin

SIGNS = "#?"
"""Each ends the path within an address."""
COPYING = {"--queue", "--temp"}


class CopiedFolders(SearchPathPlugin):  # type: ignore[misc]  # hydra is untyped
    """Looks at the folder's name. It adds nothing to the search path."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """Raises: DvcException if a copy is asked for that cannot be made."""
        here = str(Path.cwd())
        found = [sign for sign in SIGNS if sign in here]
        asked = COPYING.intersection(sys.argv)
        if found and asked:
            raise DvcException(
                f"{here}: DVC cannot run {' or '.join(sorted(asked))} in a folder "
                f"with {' and '.join(found)} in its path\n"
                "  expected: a path without # and ?\n"
                "  fix: rename the folder, or run here, without a copy: dvc exp run"
            )
