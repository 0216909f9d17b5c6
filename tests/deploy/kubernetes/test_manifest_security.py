"""Pods have no right that they do not need. Exceptions stand here with their reason."""

from collections.abc import Mapping
from typing import Any

import pytest
from kubernetes_manifests import OVERLAYS, Pod, applied, of_kind, pods

NO_CPU_LIMIT = (
    "no pod has a limit of CPU: it slows a pod down although the node is idle, which "
    "makes first tokens late; requests share a busy node fairly"
)
NO_PROBES = ("training", "training-nodes", "drift", "graft")
"""They end by themselves, and nobody calls them."""
WRITABLE_LOG = "serving"
"""Of the pods that mount the request log, this one writes it."""


def every(overlay: str) -> list[Pod]:
    return list(pods(applied(overlay)))


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_pods_keep_the_restricted_standard(overlay: str) -> None:
    for pod in every(overlay):
        context = pod.spec["securityContext"]
        assert context["runAsNonRoot"] and context["runAsUser"] >= 10000
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod.spec["automountServiceAccountToken"] is False
        assert pod.spec["enableServiceLinks"] is False
        for key in ("hostNetwork", "hostPID", "hostIPC"):
            assert key not in pod.spec
        kinds = {key for one in pod.spec["volumes"] for key in one if key != "name"}
        if pod.labels.get("app.kubernetes.io/name") == "ray-head":
            kinds.discard("projected")  # see the autoscaler's test below
        assert kinds <= {"emptyDir", "persistentVolumeClaim", "secret", "configMap"}
        for container in pod.containers:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_namespace_refuses_pods_that_do_not(overlay: str) -> None:
    (namespace,) = of_kind(applied(overlay), "Namespace")
    labels = namespace["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_resources_are_bounded(overlay: str) -> None:
    for pod in every(overlay):
        if pod.owner["kind"] == "TrainingRuntime":
            continue  # the TrainJob sets them
        for container in pod.containers:
            requests, limits = (
                container["resources"][k] for k in ("requests", "limits")
            )
            assert {"cpu", "memory", "ephemeral-storage"} <= set(requests)
            assert {"memory", "ephemeral-storage"} <= set(limits)
            assert "cpu" not in limits, NO_CPU_LIMIT
            assert requests["memory"] == limits["memory"]
            assert requests.get("nvidia.com/gpu") == limits.get("nvidia.com/gpu")
        for volume in pod.spec["volumes"]:
            assert volume.get("emptyDir", {"sizeLimit": 1})["sizeLimit"]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_servers_have_probes(overlay: str) -> None:
    for pod in every(overlay):
        if pod.owner["metadata"]["name"] in NO_PROBES:
            continue
        if "trainjob" in pod.owner["metadata"]["name"]:
            continue
        for container in pod.containers:
            assert container["readinessProbe"] != container["livenessProbe"]


def image_of(container: Mapping[str, Any]) -> tuple[str, str]:
    name, _, tag = container["image"].rpartition(":")
    return name, tag


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_images_have_a_registry_and_a_tag(overlay: str) -> None:
    for pod in every(overlay):
        if pod.owner["kind"] == "TrainingRuntime":
            continue  # the TrainJob sets it
        for container in pod.containers:
            name, tag = image_of(container)
            assert "/" in name and tag and tag != "latest", container["image"]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_all_traffic_is_denied_by_default(overlay: str) -> None:
    policies = of_kind(applied(overlay), "NetworkPolicy")
    (denied,) = (p for p in policies if p["metadata"]["name"] == "deny-all")
    assert denied["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    for policy in policies:
        for rule in policy["spec"].get("ingress", ()):
            assert rule["from"]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_instance_metadata_is_out_of_reach(overlay: str) -> None:
    for policy in of_kind(applied(overlay), "NetworkPolicy"):
        for rule in policy["spec"].get("egress", ()):
            for block in (to["ipBlock"] for to in rule["to"] if "ipBlock" in to):
                wide = block["cidr"] == "0.0.0.0/0"
                assert not wide or "169.254.0.0/16" in block["except"]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_only_serving_writes_the_request_log(overlay: str) -> None:
    for pod in every(overlay):
        for container in pod.containers:
            for mount in container["volumeMounts"]:
                if mount["name"] == "request-log":
                    is_writer = container["name"] == "serve"
                    assert mount.get("readOnly", False) is not is_writer


def test_of_all_containers_only_the_autoscaler_of_ray_calls_the_kubernetes_api() -> (
    None
):
    (ray,) = of_kind(applied("on-prem"), "RayCluster")
    autoscaler = ray["spec"]["autoscalerOptions"]
    assert autoscaler["securityContext"]["readOnlyRootFilesystem"] is True
    (access,) = (
        one["name"]
        for one in autoscaler["volumeMounts"]
        if one["mountPath"] == "/var/run/secrets/kubernetes.io/serviceaccount"
    )
    for pod in every("on-prem"):
        for container in pod.containers:
            mounts = {one["name"] for one in container["volumeMounts"]}
            assert access not in mounts


def test_all_nodes_of_ray_and_its_autoscaler_require_the_token() -> None:
    (ray,) = of_kind(applied("on-prem"), "RayCluster")
    nodes = [pod for pod in every("on-prem") if "graft/ray-node" in pod.labels]
    assert sorted(pod.owner["kind"] for pod in nodes) == ["Job"] + 2 * ["RayCluster"]
    environments = [ray["spec"]["autoscalerOptions"]["env"]]
    environments += [pod.spec["containers"][0]["env"] for pod in nodes]
    secret = {"secretKeyRef": {"name": "ray-token", "key": "token"}}
    for environment in environments:
        values = {one["name"]: one for one in environment}
        assert values["RAY_AUTH_MODE"]["value"] == "token"
        assert values["RAY_AUTH_TOKEN"]["valueFrom"] == secret
