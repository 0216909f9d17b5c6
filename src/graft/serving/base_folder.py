"""Where the base model of a registered version is on this machine."""

import os
import re
from pathlib import Path

from graft.errors import ModelError
from graft.models.files import model_digest


def find_base(path: str, revision: str) -> str:
    """The base model's folder, or its Hub id.

    A relative folder is looked up in the current directory, then in GRAFT_ROOT. If
    both have one, the one with the digest of training is taken.

    Args:
        path: as the adapter's record names it.
        revision: a folder's digest, or a Hub commit.
    Raises: ModelError if neither has it and the revision is not a Hub commit. A single
        folder's digest is compared when its weights are loaded.
    """
    root = Path(os.environ.get("GRAFT_ROOT", "."))
    places = [Path.cwd() / path, (root / path).absolute()]
    found = [place for place in dict.fromkeys(places) if place.is_dir()]
    if len(found) > 1:
        same = [one for one in found if model_digest(one) == revision]
        found = same or found
    if found:
        return str(found[0])
    if re.fullmatch(r"[0-9a-f]{40}", revision):
        return path
    raise ModelError(
        path,
        f"the base model's folder is neither in {Path.cwd()} nor in GRAFT_ROOT",
        expected=f"the folder of revision {revision} that the adapter was trained on",
        fix="run in the root of the repository, or set GRAFT_ROOT to it",
    )
