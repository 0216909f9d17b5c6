"""`graft lineage`: what made a version, and which versions were made from data."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from graft import io
from graft.cloud.data import StoredData, md5_of
from graft.config import RegistryConfig
from graft.errors import ConfigError
from graft.registry.lineage_commits import Commits
from graft.registry.lineage_data import MD5, Finding, RowSearch, find_data
from graft.registry.lineage_graph import to_mermaid, to_page
from graft.registry.lineage_text import findings_text, to_text
from graft.registry.lineage_versions import Lineages, VersionLineage
from graft.tracking.versions import Versions


def run(
    registry: RegistryConfig,
    version: str | None = None,
    /,
    *,
    data: str | None = None,
    row: str | None = None,
    mermaid: bool = False,
    html: Path | None = None,
    json: bool = False,
) -> dict[str, Any] | None:
    """Show what made a registered version; or, of data or a row, which versions were
    trained on it. docs/LINEAGE.md has examples.

    The exit status is 1 if a version's answer is unknown because data are missing.

    Args:
        version: a number, an alias, or models:/NAME/NUMBER or models:/NAME@ALIAS; by
            default champion. With --data or --row, all versions are asked.
        data: an md5 as in dvc.lock, or a path whose present content is meant.
        row: the id of an example, or the place of its row, file:row.
        mermaid: print a flowchart in Mermaid's language.
        html: write one HTML page to this file.
        json: print one JSON document instead of text.
    """
    lineages = Lineages(Versions(registry), Commits(Path.cwd()))
    if data or row:
        if version or mermaid or html or data and row:
            raise ConfigError(
                "--row" if row else "--data", "can only be combined with --json"
            )
        found = _find_row(lineages, row) if row else _find_data(lineages, data or "")
        return _answer(registry, row or data or "", found, json)
    known = lineages.find(version or "champion")
    if html is not None:
        io.write_text(html, to_page(known))
        print(f"see {html}")
    if json:
        return known.to_json()
    if mermaid or html is None:
        print(to_mermaid(known) if mermaid else to_text(known))
    return None


def _find_row(lineages: Lineages, row: str) -> list[Finding]:
    search = RowSearch(row, StoredData(Path.cwd()))
    return [search.find(known) for known in lineages.all()]


def _find_data(lineages: Lineages, data: str) -> list[Finding]:
    known = lineages.all()
    md5s = [data] if MD5.fullmatch(data) else _md5s(Path(data), known)
    return [find_data(one, md5s) for one in known]


def _md5s(path: Path, known: list[VersionLineage]) -> list[str]:
    """md5s of a path as it is now; of a file in a folder that is a source or an output
    of a version, the folder's too.

    Raises: StorageError if the path does not exist.
    """
    root = Path.cwd()
    found = [md5_of(root, path)]
    paths = {one.path for version in known for one in version.lineage.outputs}
    for parent in path.parents:
        if parent.as_posix() in paths:
            found.append(md5_of(root, parent))
            print(f"{path} is part of {parent}", file=sys.stderr)
    return found


def _answer(
    registry: RegistryConfig, what: str, found: list[Finding], json: bool
) -> dict[str, Any] | None:
    unknown = any(one.state == "unknown" for one in found)
    if json:
        versions = [asdict(one) for one in found]
        status = {"exit_status": 1} if unknown else {}
        return {"model": registry.name, "query": what, "versions": versions} | status
    print(findings_text(f"{registry.name}: {what}", found))
    if unknown:
        sys.exit(1)
    return None
