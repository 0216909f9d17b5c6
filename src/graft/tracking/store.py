"""MLflow, configured for a store: short timeouts, no output, no side effects."""

import logging
import os
from typing import Any

from graft.config.secrets import without_secret
from graft.errors import TrackingError

EVENT_ERRORS = frozenset({"INVALID_PARAMETER_VALUE", "BAD_REQUEST"})
"""MLflow's error codes of requests that it never accepts."""
ACCESS_ERRORS = frozenset({"UNAUTHENTICATED", "PERMISSION_DENIED"})
"""MLflow's error codes of missing permissions."""
LATER = "later/"
"""Prefix of the tag of a parameter whose value differs from the first one logged."""
ADDRESSES = ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI")


class RefusedError(TrackingError):
    """The store permanently rejects a run; waiting does not help."""


def is_refusal(error: Exception, codes: frozenset[str]) -> bool:
    """Whether MLflow answered with one of these codes."""
    return getattr(error, "error_code", "") in codes


def refusal(uri: str, error: Exception) -> RefusedError:
    """The error if the store accepts no run of this user."""
    return RefusedError(
        without_secret(uri),
        f"the tracking store rejects this run: {first_line(error)}",
        expected="an MLflow store, and a user who may write runs of "
        "registry.experiment and versions of registry.name",
        fix="correct registry.tracking_uri, registry.experiment, "
        "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD (or "
        "MLFLOW_TRACKING_TOKEN), then run this again",
    )


def deleted(experiment: str, key: object) -> RefusedError:
    """The error if an experiment of this name was deleted."""
    return RefusedError(
        f"registry.experiment={experiment}",
        "this experiment was deleted in the tracking store",
        expected="an experiment that is active, or a new name",
        fix=f"mlflow experiments restore -x {key}; or set registry.experiment to "
        "another name",
    )


def first_line(error: object) -> str:
    """The first line of MLflow's message, without secrets."""
    lines = str(error).strip().splitlines() or [repr(error)]
    # If a server is unreachable, the HTTP client lists its attempts first.
    return without_secret(lines[0].rpartition("Caused by ")[2])[:300]


def open_mlflow(uri: str) -> Any:
    """The module mlflow, with tracking store and registry at `uri`."""
    # Set before the import: by default MLflow waits minutes for an unreachable server.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "30")
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    # Otherwise MLflow prints the address of a run with the password in it.
    os.environ["MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT"] = "true"
    import mlflow

    for noisy in ("alembic", "mlflow", "urllib3"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    # MLflow also writes the address to the environment, where it would override the
    # configuration of a later run.
    before = {name: os.environ.get(name) for name in ADDRESSES}
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    for name, value in before.items():
        os.environ.pop(name, None)
        if value is not None:
            os.environ[name] = value
    return mlflow
