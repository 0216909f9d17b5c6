"""Where the base model of an adapter is on this machine."""

import os
import re
from pathlib import Path

from graft.errors import ModelError


def find_base(path: str, revision: str) -> str:
    """The base model's folder, or its Hub id.

    A relative folder is resolved in the current directory, then in GRAFT_ROOT.
    Raises: ModelError if neither has it and the revision is not a Hub commit.
    """
    root = os.environ.get("GRAFT_ROOT", ".")
    for place in (Path.cwd() / path, Path(root) / path):
        if place.is_dir():
            return str(place)
    if re.fullmatch(r"[0-9a-f]{40}", revision):
        return path
    raise ModelError(
        path,
        f"the base model's folder is neither in {Path.cwd()} nor in GRAFT_ROOT",
        expected=f"the folder of revision {revision} that the adapter was trained on",
        fix="run in the root of the repository, or set GRAFT_ROOT to it",
    )
