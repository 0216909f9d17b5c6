"""`graft reproduce`: run a registered version's stages again, and compare."""

import sys
import tempfile
from pathlib import Path
from typing import Any

from graft.cloud.data import StoredData
from graft.config import RegistryConfig
from graft.errors import ConfigError
from graft.registry.lineage_commits import Commits
from graft.registry.lineage_versions import Lineages
from graft.registry.reproduce import Reproducer
from graft.registry.reproduce_text import to_text
from graft.tracking.versions import Versions


def run(
    registry: RegistryConfig,
    version: str = "champion",
    /,
    *,
    train: bool = False,
    tolerance: float = 0.02,
    json: bool = False,
) -> dict[str, Any] | None:
    """Generate and evaluate a registered version again, in a clean checkout of its
    commit with its data, and compare predictions and scores.

    Nothing is registered, and the version's run is not changed. The exit status is 1 if
    the results differ.

    Args:
        version: a number, an alias, or models:/NAME/NUMBER or models:/NAME@ALIAS.
        train: train again, too.
        tolerance: largest share of completions that may differ if a GPU computed them
            or the devices differ. On the same CPU they must be equal.
        json: print one JSON document instead of text.
    """
    if not 0 <= tolerance < 1:
        raise ConfigError(
            "--tolerance", f"is {tolerance}", expected="0 or more, below 1"
        )
    root = Path.cwd()
    versions = Versions(registry)
    known = Lineages(versions, Commits(root)).find(version)
    with tempfile.TemporaryDirectory(prefix="graft-reproduce-") as folder:
        reproducer = Reproducer(known, root, StoredData(root), versions.store)
        found = reproducer.run(Path(folder), train, tolerance)
    if json:
        return found.to_json()
    print(to_text(found))
    if not found.is_equal:
        sys.exit(1)
    return None
