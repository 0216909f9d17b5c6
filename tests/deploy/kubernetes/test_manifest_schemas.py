"""Every object is what the API server expects."""

import tempfile
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml
from custom_resources import NESTED_JOB, SPECS
from kubernetes_manifests import FOLDER, build, objects, pods, roots

VERSIONS = ("1.33", kubernetes_validate.latest_version())
"""The oldest version of Kubernetes that the manifests are for, and the newest known.
1.33 is the first in which the Pods' `sleep` hook and the Jobs' `podReplacementPolicy`
need no feature gate or are on by default."""


def check(one: Any) -> None:
    spec = SPECS.get((one["apiVersion"], one["kind"]))
    if spec is not None:
        jsonschema.validate(one["spec"], spec)
        assert set(one) == {"apiVersion", "kind", "metadata", "spec"}
        return
    for version in VERSIONS:
        kubernetes_validate.validate(one, version, strict=True)


@pytest.mark.parametrize("root", roots())
def test_all_objects_of_an_overlay_keep_the_schemas(root: str) -> None:
    found = objects(root)
    assert found
    for one in found:
        check(one)


@pytest.mark.parametrize("root", roots())
def test_an_overlay_puts_everything_into_one_namespace(root: str) -> None:
    cluster = {"Namespace", "StorageClass"}
    for one in objects(root):
        where = one["metadata"].get("namespace")
        assert where == (None if one["kind"] in cluster else "graft")


def test_pods_inside_custom_resources_keep_the_schema_of_pods() -> None:
    (runtime,) = (one for one in objects("aws/trainjob") if "mlPolicy" in one["spec"])
    for job in runtime["spec"]["template"]["spec"]["replicatedJobs"]:
        jsonschema.validate(job["template"]["spec"], NESTED_JOB)
    (pod,) = pods([runtime])
    check(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "node", "labels": dict(pod.labels)},
            "spec": {**pod.spec},
        }
    )


@pytest.mark.parametrize(
    "component", sorted(file.parent.name for file in FOLDER.glob("components/*/*.yaml"))
)
def test_every_component_is_used_by_an_overlay_or_builds_on_one(component: str) -> None:
    files = [FOLDER / "base/kustomization.yaml", *FOLDER.rglob("*/kustomization.yaml")]
    if any(f"components/{component}" in file.read_text() for file in files):
        return
    with tempfile.TemporaryDirectory(dir=FOLDER / "overlays") as folder:
        kustomization = {
            "resources": ["../aws"],
            "components": [f"../../components/{component}"],
        }
        Path(folder, "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
        for one in build(Path(folder)):
            check(one)
