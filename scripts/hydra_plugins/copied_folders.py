"""Refuse queued and temporary experiments where DVC could not make their copies.

DVC 3.67 writes the folder's path into addresses without quoting it: git then looks for
the repository in `a` of `a#1`, and the queue for its results, for which it waits for
ever (dvc/repo/experiments/executor/local.py, dvc_task/app/filesystem.py). It writes the
cache's path into each copy's configuration in ASCII.
"""

import sys
from pathlib import Path

from dvc.config import Config
from dvc.exceptions import DvcException
from hydra.core.config_search_path import ConfigSearchPath
from hydra.plugins.search_path_plugin import SearchPathPlugin

SIGNS = "#?"
"""Each ends the path within an address."""
COPYING = {"--queue", "--temp"}


class CopiedFolders(SearchPathPlugin):  # type: ignore[misc]  # hydra is untyped
    """Looks at the paths. It adds nothing to the search path."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """Raises: DvcException if a copy is asked for that cannot be made."""
        flags = " or ".join(sorted(COPYING.intersection(sys.argv)))
        if not flags or not Path(".dvc").is_dir():
            return
        here = str(Path.cwd())
        instead = "or run here, without a copy: dvc exp run"
        if found := [sign for sign in SIGNS if sign in here]:
            raise DvcException(
                f"{here}: DVC cannot run {flags} in a folder with "
                f"{' and '.join(found)} in its path\n"
                "  expected: a path without # and ?\n"
                f"  fix: rename the folder, {instead}"
            )
        cache = str(Config.from_cwd()["cache"].get("dir") or Path(here, ".dvc/cache"))
        if not cache.isascii():
            raise DvcException(
                f"{cache}: DVC cannot run {flags} with a cache whose path has letters "
                "such as é\n"
                "  expected: a path in ASCII\n"
                f"  fix: move the cache: dvc cache dir --local /path/of/plain/letters; "
                f"{instead}"
            )
