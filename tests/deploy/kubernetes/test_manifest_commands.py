"""The commands of the manifests are commands of graft, and their times fit together."""

import importlib.metadata
import re
import signal
from pathlib import Path
from typing import Any

import pytest
from kubernetes_manifests import ROOT, Pod, applied, of_kind, pods

from graft.cli import make_parser
from graft.config.compose import compose_params
from graft.config.params import Params
from graft.errors import LostProcessError


def pod(overlay: str, name: str) -> Pod:
    (found,) = (
        one for one in pods(applied(overlay)) if one.owner["metadata"]["name"] == name
    )
    return found


def environment(overlay: str) -> dict[str, str]:
    found = of_kind(applied(overlay), "ConfigMap")
    (one,) = (m for m in found if m["metadata"]["name"].startswith("graft-env"))
    return dict(one["data"])


def parameters(overlay: str, name: str) -> Params:
    """The parameters that a container composes, expanded as by Kubernetes."""
    values = environment(overlay)
    arguments = [
        re.sub(r"\$\((\w+)\)", lambda match: values[match[1]], argument)
        for argument in pod(overlay, name).spec["containers"][0]["args"]
    ]
    assert all(argument.startswith("-S") for argument in arguments)
    overrides = [argument.removeprefix("-S") for argument in arguments]
    return compose_params(overrides, ROOT / "configs")


def port(found: Pod, name: str) -> int:
    (number,) = (
        one["containerPort"]
        for one in found.spec["containers"][0]["ports"]
        if one["name"] == name
    )
    return int(number)


@pytest.mark.parametrize("overlay", ("local", "aws", "on-prem"))
def test_serving_listens_where_the_pod_says(overlay: str) -> None:
    params, found = parameters(overlay, "serving"), pod(overlay, "serving")
    assert (params.serving.host, params.serving.port) == (
        "0.0.0.0",
        port(found, "http"),
    )
    telemetry = params.monitoring.telemetry
    assert telemetry.port == port(found, "telemetry") == 9464
    (monitored,) = (
        rule["ports"]
        for policy in of_kind(applied(overlay), "NetworkPolicy")
        if policy["metadata"]["name"] == "serving"
        for rule in policy["spec"]["ingress"][:1]
    )
    assert [one["port"] for one in monitored] == [params.serving.port]


@pytest.mark.parametrize(("overlay", "device"), [("local", "cpu"), ("aws", "cuda")])
def test_serving_uses_the_device_that_the_pod_asks_for(
    overlay: str, device: str
) -> None:
    limits = pod(overlay, "serving").spec["containers"][0]["resources"]["limits"]
    assert parameters(overlay, "serving").serving.device == device
    assert ("nvidia.com/gpu" in limits) is (device == "cuda")


def test_a_pod_is_killed_only_after_its_requests_have_ended() -> None:
    found = pod("aws", "serving").spec
    hook = found["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    drain_s = parameters("aws", "serving").serving.drain_s
    assert found["terminationGracePeriodSeconds"] >= hook + drain_s + 15


def test_files_of_serving_are_on_volumes() -> None:
    params = parameters("aws", "serving")
    found = pod("aws", "serving").spec["containers"][0]
    mounts = {Path(one["mountPath"]) for one in found["volumeMounts"]}
    files = [params.serving.keys_file, params.monitoring.request_log.folder]
    for file in (*files, found["command"][-1], environment("aws")["HF_HOME"]):
        assert file and mounts & {Path(file), *Path(file).parents}


def test_watch_listens_where_alertmanager_sends() -> None:
    params = parameters("aws", "watch")
    assert params.monitoring.watch.host == "0.0.0.0"
    assert (
        params.monitoring.watch.port == port(pod("aws", "watch"), "telemetry") == 9465
    )
    assert params.monitoring.watch.token_file == "/etc/graft/alerts/token"


def test_all_read_the_log_that_serving_writes() -> None:
    logs = {
        parameters("aws", name).monitoring.request_log.folder
        for name in ("serving", "watch", "drift")
    }
    assert len(logs) == 1


@pytest.mark.parametrize("name", ("serving", "watch", "drift"))
def test_commands_exist(name: str) -> None:
    program, *words = pod("aws", name).spec["containers"][0]["command"]
    command, *arguments = (word for word in words if word != "--quiet")
    assert program == "graft"
    module: Any = __import__(f"graft.commands.{command}", fromlist=["run"])
    make_parser(module.run, True).parse_args(arguments)


def test_torchrun_meets_where_the_service_is() -> None:
    job = pod("aws", "training-nodes").owner
    spec = job["spec"]
    (service,) = (
        one
        for one in of_kind(applied("aws"), "Service")
        if one["metadata"]["name"] == spec["template"]["spec"]["subdomain"]
    )
    variables = spec["template"]["spec"]["containers"][0]["env"]
    options = {one["name"]: one.get("value", "") for one in variables}
    first = f"{job['metadata']['name']}-0.{service['metadata']['name']}"
    assert options["PET_MASTER_ADDR"] == first
    assert int(options["PET_MASTER_PORT"]) == service["spec"]["ports"][0]["port"]
    assert int(options["PET_NNODES"]) == spec["completions"] == spec["parallelism"]
    assert spec["completionMode"] == "Indexed"


def test_jobs_stop_on_errors_that_repetition_does_not_mend_and_only_on_them() -> None:
    for name in ("training", "training-nodes", "drift"):
        owner = pod("aws", name).owner
        spec = owner["spec"].get("jobTemplate", owner)["spec"]
        ignored, failed, *others = spec["podFailurePolicy"]["rules"]
        assert ignored["onPodConditions"] == [
            {"type": "DisruptionTarget", "status": "True"}
        ]
        assert failed["onExitCodes"]["values"] == [1, 2]
        container = spec["template"]["spec"]["containers"][0]["name"]
        assert failed["onExitCodes"]["containerName"] == container
        assert [one["onExitCodes"]["values"] for one in others] == (
            [[LostProcessError.exit_status, 128 + signal.SIGTERM]]
            if name == "training-nodes"
            else []
        )


def test_training_joins_the_cluster_of_ray_that_the_overlay_has() -> None:
    (ray,) = of_kind(applied("on-prem"), "RayCluster")
    head = ray["spec"]["headGroupSpec"]
    (server,) = head["template"]["spec"]["containers"][0]["ports"]
    service = f"{ray['metadata']['name']}-head-svc"  # made by KubeRay
    found = pod("on-prem", "training").spec["containers"][0]
    values = {one["name"]: one.get("value") for one in found["env"]}
    assert values["RAY_ADDRESS"] == f"{service}:{server['containerPort']}"
    assert found["command"] == ["bash", "/scripts/join.sh"]
    assert ray["spec"]["rayVersion"] == importlib.metadata.version("ray")


def test_ray_starts_a_worker_for_each_core_of_the_pod_and_none_in_the_head() -> None:
    (ray,) = of_kind(applied("on-prem"), "RayCluster")
    (group,) = ray["spec"]["workerGroupSpecs"]
    (worker,) = group["template"]["spec"]["containers"]
    assert group["rayStartParams"]["num-cpus"] == worker["resources"]["requests"]["cpu"]
    port = int(group["rayStartParams"]["node-manager-port"])
    assert [one["containerPort"] for one in worker["ports"]] == [port]
    assert ray["spec"]["headGroupSpec"]["rayStartParams"]["num-cpus"] == "0"
