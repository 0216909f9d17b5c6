"""`graft reproduce`: run a registered version's stages again, and compare."""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from graft.cloud.data import StoredData
from graft.config import RegistryConfig
from graft.errors import ConfigError
from graft.io import align
from graft.registry.lineage_commits import Commits
from graft.registry.lineage_versions import Lineages
from graft.registry.reproduce import Reproducer, Reproduction
from graft.registry.reproduce_comparison import MAX_SHOWN
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
    print("\n".join(align(list(_lines(found)))))
    if not found.is_equal:
        sys.exit(1)
    return None


def _lines(found: Reproduction) -> Iterator[tuple[str, str]]:
    texts = found.predictions
    answer = "equal" if found.is_equal else "DIFFERENT"
    if found.is_equal and texts.num_different:
        answer = f"equal within the tolerance of {found.tolerance:.1%} of completions"
    yield found.version, answer
    yield "commit", found.commit
    yield "device", found.devices[1]
    yield "predictions", f"{texts.num_texts - texts.num_different:,} of " + (
        f"{texts.num_texts:,} completions of {texts.num_examples:,} examples are equal"
    )
    if texts.num_different:
        yield "", f"{texts.texts_different:.2%} of completions differ, and " + (
            f"{texts.words_different:.2%} of words come after a difference"
        )
        yield "", f"first ids that differ: {', '.join(texts.different[:MAX_SHOWN])}"
    if texts.missing:
        shown = ", ".join(texts.missing[:MAX_SHOWN])
        yield "", f"{len(texts.missing):,} examples are only in one of them: {shown}"
    if texts.largest_nll_difference is not None:
        most = texts.largest_nll_difference
        yield "likelihoods", f"differ by at most {most:.1e} of their value"
    if found.adapters:
        same = "equal" if len({*found.adapters}) == 1 else "other weights"
        yield "adapter", f"{same}: {' and '.join(dict.fromkeys(found.adapters))}"
    yield "scores", "no differences" if not found.scores else "differ"
    for name, (before, now) in found.scores.items():
        yield "", f"{name}: {before} → {now}"
    for note in found.notes:
        yield "note", note
