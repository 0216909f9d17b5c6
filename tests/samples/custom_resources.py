"""The fields of custom resources that the manifests use, as JSON schemas of our own.

They are narrower than the definitions of the projects, and refuse a field that we do
not use. Sources: KEDA 2.18, Prometheus operator v1, External Secrets v1, Kueue v1beta1,
Kubeflow Trainer v1alpha1, JobSet v1alpha2, KubeRay v1.
"""

from typing import Any

TEXT = {"type": "string", "minLength": 1}
COUNT = {"type": "integer", "minimum": 0}
POSITIVE = {"type": "integer", "minimum": 1}
ANY = {"type": "object"}


def closed(required: dict[str, Any], **optional: Any) -> dict[str, Any]:
    """An object with these fields and no others."""
    return {
        "type": "object",
        "properties": {**required, **optional},
        "required": list(required),
        "additionalProperties": False,
    }


def some(item: dict[str, Any]) -> dict[str, Any]:
    """A list that is not empty."""
    return {"type": "array", "items": item, "minItems": 1}


_PROMETHEUS = closed(
    {"serverAddress": TEXT, "query": TEXT, "threshold": TEXT},
    ignoreNullValues={"enum": ["true", "false"]},
)
_CRON = closed({"timezone": TEXT, "start": TEXT, "end": TEXT, "desiredReplicas": TEXT})
_TRIGGER = {
    "oneOf": [
        closed(
            {"type": {"const": "prometheus"}, "name": TEXT, "metadata": _PROMETHEUS},
            metricType={"enum": ["AverageValue", "Value"]},
        ),
        closed({"type": {"const": "cron"}, "name": TEXT, "metadata": _CRON}),
    ]
}
_REMOTE = closed({"key": TEXT}, property=TEXT)
_RULE = {
    "oneOf": [
        closed({"record": TEXT, "expr": TEXT}, labels=ANY),
        closed(
            {"alert": TEXT, "expr": TEXT},
            labels=ANY,
            annotations=ANY,
            **{"for": TEXT, "keep_firing_for": TEXT},
        ),
    ]
}
_JOB = closed({"template": ANY, "backoffLimit": COUNT})
_JOB_SET = closed(
    {"replicatedJobs": some(closed({"name": TEXT, "template": ANY}))},
    failurePolicy=closed({"maxRestarts": COUNT}),
)

_START = {"type": "object", "additionalProperties": TEXT}
"""Options of `ray start`; also numbers and truth values are texts."""

SPECS: dict[tuple[str, str], dict[str, Any]] = {
    ("keda.sh/v1alpha1", "ScaledObject"): closed(
        {
            "scaleTargetRef": closed({"name": TEXT}, apiVersion=TEXT, kind=TEXT),
            "triggers": some(_TRIGGER),
            "minReplicaCount": COUNT,
            "maxReplicaCount": POSITIVE,
        },
        pollingInterval=POSITIVE,
        fallback=closed({"failureThreshold": POSITIVE, "replicas": POSITIVE}),
        advanced=closed({"horizontalPodAutoscalerConfig": closed({"behavior": ANY})}),
    ),
    ("monitoring.coreos.com/v1", "ServiceMonitor"): closed(
        {
            "selector": ANY,
            "endpoints": some(
                closed({"port": TEXT, "path": TEXT}, interval=TEXT, scrapeTimeout=TEXT)
            ),
        }
    ),
    ("monitoring.coreos.com/v1", "PrometheusRule"): closed(
        {
            "groups": {
                "type": "array",
                "items": closed({"name": TEXT, "rules": some(_RULE)}, interval=TEXT),
            }
        }
    ),
    ("external-secrets.io/v1", "SecretStore"): closed(
        {
            "provider": closed(
                {
                    "aws": closed(
                        {
                            "service": {"const": "SecretsManager"},
                            "region": TEXT,
                            "auth": closed(
                                {
                                    "jwt": closed(
                                        {"serviceAccountRef": closed({"name": TEXT})}
                                    )
                                }
                            ),
                        }
                    )
                }
            )
        }
    ),
    ("external-secrets.io/v1", "ExternalSecret"): closed(
        {
            "refreshInterval": {"type": "string", "pattern": r"^\d+[smh]$"},
            "secretStoreRef": closed({"kind": {"const": "SecretStore"}, "name": TEXT}),
            "target": closed(
                {"name": TEXT},
                template=closed({"engineVersion": {"const": "v2"}, "data": ANY}),
            ),
            "data": some(closed({"secretKey": TEXT, "remoteRef": _REMOTE})),
        }
    ),
    ("kueue.x-k8s.io/v1beta1", "LocalQueue"): closed({"clusterQueue": TEXT}),
    ("ray.io/v1", "RayCluster"): closed(
        {
            "rayVersion": TEXT,
            "headGroupSpec": closed({"rayStartParams": _START, "template": ANY}),
            "workerGroupSpecs": some(
                closed(
                    {
                        "groupName": TEXT,
                        "replicas": COUNT,
                        "minReplicas": COUNT,
                        "maxReplicas": POSITIVE,
                        "rayStartParams": _START,
                        "template": ANY,
                    }
                )
            ),
        },
        enableInTreeAutoscaling={"type": "boolean"},
        autoscalerOptions=closed(
            {"resources": ANY, "securityContext": ANY},
            version={"enum": ["v1", "v2"]},
            idleTimeoutSeconds=POSITIVE,
            upscalingMode={"enum": ["Default", "Aggressive", "Conservative"]},
            env=some(ANY),
            volumeMounts=some(
                closed({"name": TEXT, "mountPath": TEXT}, readOnly={"const": True})
            ),
        ),
    ),
    ("trainer.kubeflow.org/v1alpha1", "TrainJob"): closed(
        {
            "runtimeRef": closed({"apiGroup": TEXT, "kind": TEXT, "name": TEXT}),
            "trainer": closed(
                {
                    "image": TEXT,
                    "command": some(TEXT),
                    "numNodes": POSITIVE,
                    "numProcPerNode": POSITIVE,
                    "resourcesPerNode": closed({"requests": ANY, "limits": ANY}),
                }
            ),
        }
    ),
    ("trainer.kubeflow.org/v1alpha1", "TrainingRuntime"): closed(
        {
            "mlPolicy": closed(
                {"numNodes": POSITIVE, "torch": closed({"numProcPerNode": POSITIVE})}
            ),
            "template": closed({"spec": _JOB_SET}),
        }
    ),
}
"""By API version and kind."""

NESTED_JOB = _JOB
"""The job of a JobSet, apart from its pod, which has Kubernetes' own schema."""
