"""Ports and passwords of a stack, and the variables of its clients."""

import secrets
from collections.abc import Mapping
from pathlib import Path

from local_stack.processes import free_ports

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
PORTS = (
    "postgres",
    "s3",
    "mlflow",
    "api",
    "telemetry",
    "watch",
    "prometheus",
    "alertmanager",
)
SECRETS = ("POSTGRES", "MLFLOW", "MLFLOW_COOKIES", "S3", "API_KEY", "WATCH_TOKEN")


def make_secrets(known: Mapping[str, str]) -> dict[str, str]:
    """A random text for each secret; known ones are kept."""
    return {name: known.get(name) or secrets.token_hex(24) for name in SECRETS}


def make_ports() -> dict[str, int]:
    """A free port for each service."""
    return dict(zip(PORTS, free_ports(len(PORTS)), strict=True))


def to_environment(
    ports: Mapping[str, int], secret: Mapping[str, str]
) -> dict[str, str]:
    """What a client of the stack sets: DVC, stages, commands."""
    return {
        "MLFLOW_TRACKING_URI": f"http://127.0.0.1:{ports['mlflow']}",
        "MLFLOW_TRACKING_USERNAME": "admin",
        "MLFLOW_TRACKING_PASSWORD": secret["MLFLOW"],
        "AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{ports['s3']}",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "graft",
        "AWS_SECRET_ACCESS_KEY": secret["S3"],
        "GRAFT_S3_URL": "s3://data/graft",
        "GRAFT_API_URL": f"http://127.0.0.1:{ports['api']}",
        "GRAFT_API_KEY": secret["API_KEY"],
        "GRAFT_PROMETHEUS_URL": f"http://127.0.0.1:{ports['prometheus']}",
        "GRAFT_ALERTMANAGER_URL": f"http://127.0.0.1:{ports['alertmanager']}",
    }
