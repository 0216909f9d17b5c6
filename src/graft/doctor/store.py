"""The store of runs and versions: a SQLite file, or MLflow's server."""

import base64
import socket
import sqlite3
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

from graft.config.secrets import without_secret
from graft.doctor.findings import Finding

SUBJECT = "MLflow"
_TIMEOUT_S = 3.0
_EXPERIMENTS = "/api/2.0/mlflow/experiments/search?max_results=1"
_PORTS = {"postgresql": 5432, "mysql": 3306, "mssql": 1433}

Get = Callable[[str, Mapping[str, str]], tuple[int, str]]
"""Address and headers → status and body. Raises: OSError if nobody answers."""


def check_file(file: Path) -> list[Finding]:
    """A SQLite file of runs; it is made by the first run."""
    if not file.exists():
        return [Finding(SUBJECT, "ok", f"{file}, which the first run creates")]
    try:
        with closing(
            sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)
        ) as db:
            db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.DatabaseError as error:
        fix = "restore it from a copy, or set registry.tracking_uri to another store"
        return [Finding(SUBJECT, "error", f"{file}: {error}", fix)]
    return [Finding(SUBJECT, "ok", f"{file}, {file.stat().st_size / 2**20:.0f} MiB")]


def check_server(
    uri: str, environment: Mapping[str, str], installed: str, get: Get
) -> list[Finding]:
    """MLflow's server: it answers, its version, and it accepts this user.

    Args:
        environment: MLFLOW_TRACKING_USERNAME and so on.
        installed: version of MLflow here.
        get: makes a request.
    """
    headers = to_headers(uri, environment)
    base, shown = _without_user(uri).rstrip("/"), without_secret(uri)
    try:
        health, _ = get(f"{base}/health", headers)
        version = get(f"{base}/version", headers)[1].strip()
        status, _ = get(f"{base}{_EXPERIMENTS}", headers)
    except OSError as error:
        text = without_secret(f"{shown} does not answer: {error}")
        fix = "start it, or correct MLFLOW_TRACKING_URI; graft logs the runs later"
        return [Finding(SUBJECT, "error", text, fix)]
    if {health, status} & {401, 403}:
        text = f"{shown} refuses this user"
        fix = "set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or a token"
        return [Finding(SUBJECT, "error", text, fix)]
    if (health, status) != (200, 200):
        text = f"{shown} does not answer as MLflow: status {health} and {status}"
        fix = "set MLFLOW_TRACKING_URI to the address of MLflow's server; see its log"
        return [Finding(SUBJECT, "error", text, fix)]
    text = f"{shown}, version {version}"
    if _release(version) != _release(installed):
        fix = f"use the same minor version on both sides; here it is {installed}"
        return [Finding(SUBJECT, "warning", text, fix)]
    return [Finding(SUBJECT, "ok", text)]


def check_database(uri: str) -> list[Finding]:
    """A database that is used without a server: it accepts connections."""
    url = urlsplit(uri)
    port = url.port or _PORTS.get(url.scheme.partition("+")[0])
    shown = without_secret(uri)
    if not url.hostname or not port:
        return [Finding(SUBJECT, "warning", f"{shown} is not checked")]
    try:
        with socket.create_connection((url.hostname, port), _TIMEOUT_S):
            return [Finding(SUBJECT, "ok", f"{shown} accepts connections")]
    except OSError as error:
        text = f"{shown} does not answer: {error}"
        return [Finding(SUBJECT, "error", text, "start the database")]


def to_headers(uri: str, environment: Mapping[str, str]) -> dict[str, str]:
    """The header with the user of the address, or of the environment."""
    if token := environment.get("MLFLOW_TRACKING_TOKEN"):
        return {"Authorization": f"Bearer {token}"}
    url = urlsplit(uri)
    user = url.username or environment.get("MLFLOW_TRACKING_USERNAME")
    password = url.password or environment.get("MLFLOW_TRACKING_PASSWORD", "")
    if not user:
        return {}
    pair = base64.b64encode(f"{user}:{password}".encode()).decode()
    return {"Authorization": f"Basic {pair}"}


def get(address: str, headers: Mapping[str, str]) -> tuple[int, str]:
    """Status and first bytes of an answer. Raises: OSError if nobody answers."""
    request = urllib.request.Request(address, headers=dict(headers))
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as found:
            return found.status, found.read(200).decode("utf-8", "replace")
    except urllib.error.HTTPError as error:
        error.close()
        return error.code, ""


def _release(version: str) -> tuple[str, ...]:
    return tuple(version.split(".")[:2])


def _without_user(uri: str) -> str:
    url = urlsplit(uri)
    return url._replace(netloc=url.netloc.rpartition("@")[2]).geturl()
