"""Refuse queued and temporary experiments in folders that DVC cannot copy.

DVC 3.67 writes the folder's path into URLs without quoting it. In `a#1`, git looks for
the repository in `a`, and so does the queue for its results, forever
(dvc/repo/experiments/executor/local.py, dvc_task/app/filesystem.py). It writes the path
of the cache into each copy's configuration in ASCII.
"""

import sys
from pathlib import Path

from dvc.config import Config
from dvc.exceptions import DvcException
from hydra.core.config_search_path import ConfigSearchPath
from hydra.plugins.search_path_plugin import SearchPathPlugin

SIGNS = "#?"
"""Characters that end the path in a URL."""
COPYING = {"--queue", "--temp"}


class CopiedFolders(SearchPathPlugin):  # type: ignore[misc]  # hydra is untyped
    """Checks the paths. It adds nothing to the search path."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """Raises: DvcException if the command needs a copy that cannot be made."""
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
