"""Refuses queued and temporary experiments in folders that DVC cannot copy.

DVC 3.67 writes the folder's path into URLs without quoting it. For a folder `a#1`, git
searches the repository in `a`, and the queue waits there for results that never come
(dvc/repo/experiments/executor/local.py, dvc_task/app/filesystem.py). DVC also writes
the path of the cache into the configuration of each copy, in ASCII.
"""

import sys
from pathlib import Path

from dvc.config import Config
from dvc.exceptions import DvcException
from hydra.core.config_search_path import ConfigSearchPath
from hydra.plugins.search_path_plugin import SearchPathPlugin

URL_DELIMITERS = "#?"
"""Characters that end the path in a URL."""
COPYING = {"--queue", "--temp"}
"""Options of `dvc exp run` that run in a copy of the folder."""


class CopiedFolders(SearchPathPlugin):  # type: ignore[misc]  # hydra is untyped
    """Checks the paths; does not change the search path."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """Raises: DvcException if the command needs a copy that cannot be made."""
        options = " or ".join(sorted(COPYING.intersection(sys.argv)))
        if not options or not Path(".dvc").is_dir():
            return
        folder = str(Path.cwd())
        instead = "or run without a copy: dvc exp run"
        if found := [sign for sign in URL_DELIMITERS if sign in folder]:
            raise DvcException(
                f"{folder}: DVC cannot run {options} in a folder with "
                f"{' and '.join(found)} in its path\n"
                "  expected: a path without # and ?\n"
                f"  fix: rename the folder, {instead}"
            )
        cache = str(Config.from_cwd()["cache"].get("dir") or Path(folder, ".dvc/cache"))
        if not cache.isascii():
            raise DvcException(
                f"{cache}: DVC cannot run {options} with a cache whose path contains "
                "letters such as é\n"
                "  expected: a path in ASCII\n"
                f"  fix: move the cache: dvc cache dir --local /path/of/plain/letters; "
                f"{instead}"
            )
