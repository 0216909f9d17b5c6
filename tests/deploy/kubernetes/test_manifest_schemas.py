"""Every object is what the API server expects."""

import json
import tempfile
from functools import cache
from pathlib import Path

import jsonschema
import kubernetes_validate
import pytest
import yaml
from custom_resources import NESTED_JOB, SPECS
from kubernetes_manifests import (
    FOLDER,
    Object,
    applied,
    build,
    objects,
    of_kind,
    pods,
    roots,
)

NEWEST = kubernetes_validate.latest_version()
OLDEST = "1.32"
"""In it, the hook `sleep` and `podReplacementPolicy` are on by default."""
COMPONENTS = sorted(file.parent.name for file in FOLDER.glob("components/*/kustom*"))


def check(one: Object, version: str = NEWEST) -> None:
    spec = SPECS.get((one["apiVersion"], one["kind"]))
    if spec is None:
        _check_builtin(json.dumps(one), version)
        return
    jsonschema.validate(one["spec"], spec)
    assert set(one) == {"apiVersion", "kind", "metadata", "spec"}


@cache  # overlays share most objects, and a schema takes a tenth of a second to load
def _check_builtin(text: str, version: str) -> None:
    kubernetes_validate.validate(json.loads(text), version, strict=True)


@pytest.mark.parametrize("root", roots())
def test_all_objects_of_an_overlay_keep_the_schemas(root: str) -> None:
    found = objects(root)
    assert found
    for one in found:
        check(one)


@pytest.mark.slow
@pytest.mark.parametrize("root", roots())
def test_they_keep_those_of_the_oldest_supported_version_too(root: str) -> None:
    for one in objects(root):
        check(one, OLDEST)


def test_a_misspelt_field_is_refused() -> None:
    (service,) = (
        one for one in objects("local") if one["kind"] == "PodDisruptionBudget"
    )
    with pytest.raises(kubernetes_validate.ValidationError, match="maxUnavailble"):
        check({**service, "spec": {**service["spec"], "maxUnavailble": 1}})


@pytest.mark.parametrize("root", roots())
def test_an_overlay_puts_everything_into_one_namespace(root: str) -> None:
    cluster = {"Namespace", "StorageClass"}
    for one in objects(root):
        where = one["metadata"].get("namespace")
        assert where == (None if one["kind"] in cluster else "graft")


def test_jobs_inside_a_runtime_keep_their_schema() -> None:
    found = objects("aws/trainjob")
    (runtime,) = (one for one in found if one["kind"] == "TrainingRuntime")
    for job in runtime["spec"]["template"]["spec"]["replicatedJobs"]:
        jsonschema.validate(job["template"]["spec"], NESTED_JOB)


@pytest.mark.parametrize(
    ("overlay", "kind"), [("aws", "TrainingRuntime"), ("on-prem", "RayCluster")]
)
def test_pods_inside_custom_resources_keep_the_schema_of_pods(
    overlay: str, kind: str
) -> None:
    found = list(pods(of_kind(applied(overlay), kind)))
    assert found
    for pod in found:
        metadata = {"name": "node", "labels": dict(pod.labels)}
        one = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata}
        check({**one, "spec": dict(pod.spec)})


@pytest.mark.parametrize("component", COMPONENTS)
def test_every_component_is_used_or_builds_on_an_overlay(component: str) -> None:
    files = list(FOLDER.rglob("kustomization.yaml"))
    if any(f"components/{component}" in file.read_text() for file in files):
        return
    with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
        used = [f"../components/{component}"]
        kustomization = {"resources": ["../overlays/aws"], "components": used}
        Path(folder, "kustomization.yaml").write_text(
            yaml.safe_dump(kustomization), "utf-8"
        )
        for one in build(Path(folder)):
            check(one)
