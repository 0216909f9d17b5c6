"""A bill of materials (SBOM) of a registered version: its environment, and the model
with its base, files and data. CycloneDX 1.6, https://cyclonedx.org/docs/1.6/json/

Equal inputs give equal bytes: it has no timestamp, and its serial number is a digest.
"""

import hashlib
import json
import re
import uuid
from collections.abc import Iterable, Mapping
from importlib.metadata import Distribution, PackageMetadata, distributions
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graft.registry.lineage import DataOutput, Lineage

if TYPE_CHECKING:
    from cyclonedx.model.component import Component

SHORT = 64
"""Longest name of a licence; a longer text is the licence itself."""


def to_bill(
    lineage: Lineage,
    adapter: Path,
    metrics: Mapping[str, float],
    installed: Iterable[Distribution] | None = None,
) -> dict[str, Any]:
    """The bill as a JSON document.

    Args:
        lineage: of the version.
        adapter: folder of its adapter.
        metrics: values by name, for the model card.
        installed: Python packages; by default those of this environment.
    """
    from cyclonedx.model.bom import Bom
    from cyclonedx.model.dependency import Dependency
    from cyclonedx.output.json import JsonV1Dot6

    packages = to_packages(distributions() if installed is None else installed)
    data = [_data(one) for one in lineage.outputs if _is_data(one)]
    model = _model(lineage, adapter)
    bill = Bom(components=[*packages, *data])
    bill.metadata.component = model
    uses = [Dependency(one.bom_ref) for one in (*packages, *data)]
    bill.dependencies.add(Dependency(model.bom_ref, uses))
    document: dict[str, Any] = json.loads(JsonV1Dot6(bill).output_as_string())
    document["metadata"].pop("timestamp")
    # cyclonedx-python-lib 11 has no class for a model card.
    references = [str(one.bom_ref.value) for one in data]
    document["metadata"]["component"]["modelCard"] = _card(lineage, references, metrics)
    document.pop("serialNumber")
    content = json.dumps(document, sort_keys=True)
    return document | {"serialNumber": uuid.uuid5(uuid.NAMESPACE_URL, content).urn}


def to_packages(installed: Iterable[Distribution]) -> "list[Component]":
    """A component for each Python package, ordered by name."""
    from cyclonedx.model.component import Component
    from packageurl import PackageURL

    found: dict[str, Component] = {}
    for one in installed:
        metadata = one.metadata  # parsed anew each time
        name = re.sub(r"[-_.]+", "-", metadata["Name"] or "").lower()
        version = metadata["Version"]
        if name and name not in found:  # the first on the path is the imported one
            found[name] = Component(
                name=name,
                version=version,
                bom_ref=f"python:{name}@{version}",
                purl=PackageURL("pypi", None, name, version),
                licenses=_licenses(_declared(metadata)),
            )
    return [found[name] for name in sorted(found)]


def _declared(metadata: PackageMetadata) -> str | None:
    """A package's licence (PEP 639), or the older field if it is not a whole text."""
    for field in ("License-Expression", "License"):
        text = metadata[field] if field in metadata else ""
        if text and len(text) <= SHORT and "\n" not in text and text != "UNKNOWN":
            return text
    return None


def _licenses(name: str | None) -> list[Any]:
    from cyclonedx.contrib.license.factories import LicenseFactory

    return [LicenseFactory().make_from_string(name)] if name else []


def _is_data(output: DataOutput) -> bool:
    return bool(output.md5) and output.path.startswith(("data/", "decisions"))


def _data(output: DataOutput) -> "Component":
    from cyclonedx.model import HashAlgorithm, HashType
    from cyclonedx.model.component import Component, ComponentType

    plain = output.md5.removesuffix(".dir")
    return Component(
        type=ComponentType.DATA,
        name=output.path,
        bom_ref=f"data:{output.path}@{output.md5}",
        version=output.md5,
        hashes=[HashType(alg=HashAlgorithm.MD5, content=plain)],
        properties=_properties(
            {
                "stage": output.stage or "source",
                "address": output.address,
                "size": str(output.size),
            }
        ),
    )


def _model(lineage: Lineage, adapter: Path) -> "Component":
    from cyclonedx.model.component import Commit, Component, ComponentType, Pedigree

    licence = lineage.params.get("model", {}).get("license")
    base = Component(
        type=ComponentType.MACHINE_LEARNING_MODEL,
        name=lineage.base,
        version=lineage.base_revision,
        bom_ref=f"model:{lineage.base}@{lineage.base_revision}",
        licenses=_licenses(licence),
    )
    commits = [Commit(uid=lineage.commit)] if lineage.commit else []
    return Component(
        type=ComponentType.MACHINE_LEARNING_MODEL,
        name=lineage.model,
        version=lineage.adapter,
        bom_ref=f"model:{lineage.model}@{lineage.adapter}",
        licenses=_licenses(licence),
        components=[_file(path, adapter) for path in sorted(adapter.rglob("*"))
                    if path.is_file()],
        pedigree=Pedigree(ancestors=[base], commits=commits),
        properties=_properties(
            {
                "template_hash": lineage.template_hash,
                "dvc.lock": lineage.lock_digest,
                "run": lineage.run,
                "evaluation": lineage.evaluation,
                "data.license": lineage.params.get("data", {}).get("license"),
            }
        ),
    )  # fmt: skip


def _file(path: Path, folder: Path) -> "Component":
    from cyclonedx.model import HashAlgorithm, HashType
    from cyclonedx.model.component import Component, ComponentType

    with path.open("rb") as stream:
        content = hashlib.file_digest(stream, "sha256").hexdigest()
    name = path.relative_to(folder).as_posix()
    return Component(
        type=ComponentType.FILE,
        name=name,
        bom_ref=f"file:{name}@{content[:16]}",
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=content)],
    )


def _card(
    lineage: Lineage, data: Iterable[str], metrics: Mapping[str, float]
) -> dict[str, Any]:
    """https://cyclonedx.org/docs/1.6/json/#metadata_component_modelCard"""
    return {
        "modelParameters": {
            "approach": {"type": "supervised"},
            "task": str(lineage.params.get("task", {}).get("name", "unknown")),
            "datasets": [{"ref": reference} for reference in data],
            "inputs": [{"format": "text"}],
            "outputs": [{"format": "text"}],
        },
        "quantitativeAnalysis": {
            "performanceMetrics": [
                {"type": name, "value": str(value)} for name, value in metrics.items()
            ]
        },
    }


def _properties(values: Mapping[str, str | None]) -> list[Any]:
    from cyclonedx.model import Property

    return [
        Property(name=f"graft:{name}", value=value)
        for name, value in values.items()
        if value
    ]
