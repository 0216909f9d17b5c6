"""Every name in a manifest is of something that exists."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import yaml
from kubernetes_manifests import (
    FOLDER,
    OVERLAYS,
    Object,
    Pod,
    applied,
    objects,
    of_kind,
    pods,
    roots,
)

from graft.monitoring.names import all_metrics

SECRETS: dict[str, list[str]] = yaml.safe_load((FOLDER / "secrets.yaml").read_text())
MONITORING = {"kubernetes.io/metadata.name": "monitoring"}


def find(value: Any, key: str) -> Iterator[Any]:
    """The values of a key, at any depth."""
    if isinstance(value, Mapping):
        if key in value:
            yield value[key]
        for part in value.values():
            yield from find(part, key)
    elif isinstance(value, list):
        for part in value:
            yield from find(part, key)


def names(found: list[Object], kind: str) -> set[str]:
    return {one["metadata"]["name"] for one in of_kind(found, kind)}


def secret_keys(pod: Pod) -> Iterator[tuple[str, str | None]]:
    """Name and key of each secret; without a key all of its keys are meant."""
    for one in find(pod.spec, "secretKeyRef"):
        yield one["name"], one["key"]
    for one in find(pod.spec, "secretRef"):
        yield one["name"], None
    for one in find(pod.spec, "secret"):
        for item in one.get("items", [{"key": None}]):
            yield one["secretName"], item["key"]


def selected(labels: Mapping[str, str], selector: Mapping[str, Any]) -> bool:
    """Whether a selector of labels selects these."""
    for one in selector.get("matchExpressions", ()):
        assert one["operator"] == "In"
        if labels.get(one["key"]) not in one["values"]:
            return False
    return selector.get("matchLabels", {}).items() <= labels.items()


def ports(pod: Pod) -> dict[str, int]:
    every = (port for one in pod.containers for port in one.get("ports", ()))
    return {port["name"]: port["containerPort"] for port in every}


@pytest.mark.parametrize("root", roots())
def test_config_maps_and_scripts_exist(root: str) -> None:
    maps = {one["metadata"]["name"]: one for one in of_kind(objects(root), "ConfigMap")}
    for pod in pods(objects(root)):
        for key in ("configMapRef", "configMapKeyRef", "configMap"):
            named = {one["name"] for one in find(pod.spec, key)}
            assert named - maps.keys() <= {"kube-root-ca.crt"}  # of every namespace
        for script in re.findall(r"/scripts/([\w.]+)", str(pod.spec["containers"])):
            volumes = [one["name"] for one in find(pod.spec["volumes"], "configMap")]
            assert any(script in maps[name]["data"] for name in volumes)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_accounts_and_volumes_exist(overlay: str) -> None:
    found = applied(overlay)
    for pod in pods(found):
        account = pod.spec.get("serviceAccountName")
        assert account is None or account in names(found, "ServiceAccount")
        claims = {one["claimName"] for one in find(pod.spec, "persistentVolumeClaim")}
        assert claims <= names(found, "PersistentVolumeClaim")
        own = {one["name"] for one in pod.spec["volumes"]}
        templates = pod.owner["spec"].get("volumeClaimTemplates", ())
        own |= {one["metadata"]["name"] for one in templates}
        for container in pod.containers:
            assert {one["name"] for one in container["volumeMounts"]} <= own


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_secrets_are_listed_with_their_keys_and_never_written(overlay: str) -> None:
    found = applied(overlay)
    assert not of_kind(found, "Secret")
    for pod in pods(found):
        for name, key in secret_keys(pod):
            assert key is None or key in SECRETS[name]
            assert SECRETS[name]


def test_every_listed_secret_is_used() -> None:
    every = [pod for overlay in OVERLAYS for pod in pods(applied(overlay))]
    assert {name for pod in every for name, _ in secret_keys(pod)} == set(SECRETS)


def test_external_secrets_have_all_keys_of_what_aws_needs() -> None:
    found = applied("aws")
    made = {}
    for one in of_kind(found, "ExternalSecret"):
        target = one["spec"]["target"]
        data = target.get("template", {}).get("data") or {
            item["secretKey"]: None for item in one["spec"]["data"]
        }
        made[target["name"]] = sorted(data)
        assert one["spec"]["secretStoreRef"]["name"] in names(found, "SecretStore")
        fetched = {item["secretKey"] for item in one["spec"]["data"]}
        templates = str(target.get("template", ""))
        assert set(re.findall(r"{{ \.(\w+)", templates)) <= fetched
    assert made == {name: sorted(SECRETS[name]) for name in made}
    needed = {name for pod in pods(found) for name, _ in secret_keys(pod)}
    assert needed - set(made) == {"git-access"}  # optional
    for one in find(of_kind(found, "SecretStore"), "serviceAccountRef"):
        assert one["name"] in names(found, "ServiceAccount")


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_services_select_pods_that_have_their_ports(overlay: str) -> None:
    found = applied(overlay)
    every = list(pods(found))
    for service in of_kind(found, "Service"):
        selector = service["spec"]["selector"].items()
        chosen = [pod for pod in every if selector <= pod.labels.items()]
        assert chosen, service["metadata"]["name"]
        if "training" in service["metadata"]["name"]:
            continue  # Trainer's pods have no ports of their own
        for pod in chosen:
            targets = {port["targetPort"] for port in service["spec"]["ports"]}
            assert targets <= set(ports(pod))


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_selectors_select_something(overlay: str) -> None:
    found = applied(overlay)
    every = list(pods(found))
    policies = of_kind(found, "NetworkPolicy", "PodDisruptionBudget")
    for policy in policies:
        for key in ("podSelector", "selector"):
            for selector in find(policy["spec"], key):
                if selector.get("matchLabels") == {"k8s-app": "kube-dns"}:
                    continue  # of the cluster
                assert any(selected(pod.labels, selector) for pod in every)
    for monitor in of_kind(found, "ServiceMonitor"):
        chosen = [
            one
            for one in of_kind(found, "Service")
            if selected(one["metadata"]["labels"], monitor["spec"]["selector"])
        ]
        assert {one["metadata"]["name"] for one in chosen} == {"serving", "watch"}
        wanted = {one["port"] for one in monitor["spec"]["endpoints"]}
        for service in chosen:
            assert wanted <= {port["name"] for port in service["spec"]["ports"]}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_what_prometheus_reads_is_open_to_it(overlay: str) -> None:
    found = applied(overlay)
    for pod in pods(found):
        if (number := ports(pod).get("telemetry")) is None:
            continue
        rules = [
            rule
            for policy in of_kind(found, "NetworkPolicy")
            if selected(pod.labels, policy["spec"]["podSelector"])
            for rule in policy["spec"].get("ingress", ())
            if {"namespaceSelector": {"matchLabels": MONITORING}} in rule["from"]
        ]
        assert any(port["port"] == number for rule in rules for port in rule["ports"])


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_autoscalers_have_an_existing_target_alone(overlay: str) -> None:
    found = applied(overlay)
    targets = []
    for one in of_kind(found, "HorizontalPodAutoscaler", "ScaledObject"):
        target = one["spec"]["scaleTargetRef"]
        targets.append(target["name"])
        (deployment,) = (
            other
            for other in of_kind(found, target["kind"])
            if other["metadata"]["name"] == target["name"]
        )
        assert "replicas" not in deployment["spec"]
    assert len(targets) == len(set(targets))


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_queries_are_of_metrics_that_exist(overlay: str) -> None:
    known = {metric.name for metric in all_metrics()}
    known |= {
        metric.name + suffix
        for metric in all_metrics()
        if metric.kind == "histogram"
        for suffix in ("_bucket", "_sum", "_count")
    }
    found = of_kind(applied(overlay), "ScaledObject", "PrometheusRule")
    known |= set(find(found, "record"))
    for key in ("query", "expr"):
        for query in find(found, key):
            used = set(re.findall(r"\b(?:graft|gen_ai)_\w+", query))
            assert used <= known, used - known
