"""MLflow, the API and what watches it, with the files of deploy/."""

import json
import shutil
import sys
import urllib.request
from base64 import b64encode
from collections.abc import Callable, Mapping
from functools import partial
from hashlib import sha256
from http.client import HTTPException
from pathlib import Path

from local_stack.environment import DEPLOY, to_environment
from local_stack.processes import Service

ADDRESSES = {"telemetry": 9464, "watch": 9465, "prometheus": 9090, "alertmanager": 9093}
"""Services whose ports deploy/prometheus names."""


def mlflow(ports: Mapping[str, int], secret: Mapping[str, str]) -> Service:
    """MLflow with users, by the script of its image."""
    place = f"127.0.0.1:{ports['postgres']}"
    store = f"postgresql+psycopg2://mlflow:{secret['POSTGRES']}@{place}"
    environment = {
        **to_environment(ports, secret),
        "MLFLOW_BACKEND_STORE_URI": f"{store}/mlflow",
        "MLFLOW_AUTH_DATABASE_URI": f"{store}/mlflow_auth",
        "MLFLOW_ARTIFACTS_DESTINATION": "s3://mlflow/artifacts",
        "MLFLOW_ADMIN_USERNAME": "admin",
        "MLFLOW_ADMIN_PASSWORD": secret["MLFLOW"],
        "MLFLOW_FLASK_SERVER_SECRET_KEY": secret["MLFLOW_COOKIES"],
        "MLFLOW_HOST": "127.0.0.1",
        "MLFLOW_PORT": str(ports["mlflow"]),
    }
    del environment["MLFLOW_TRACKING_URI"]
    command = ["bash", str(DEPLOY / "docker/mlflow-server.sh")]
    return Service("mlflow", command, ports["mlflow"], environment)


def clients(
    folder: Path, ports: Mapping[str, int], secret: Mapping[str, str], model: str
) -> list[Service]:
    """The API and `graft watch`, as soon as there is a champion."""
    environment = to_environment(ports, secret)
    graft = [sys.executable, "-c", "from graft.cli import main; main()"]
    keys = f"-Sserving.keys_file={folder / 'api_keys.json'}"
    api = [*graft, "serve", f"-Sserving.port={ports['api']}", keys]
    api += [f"-Smonitoring.telemetry.port={ports['telemetry']}"]
    api += ["--cache", str(folder / "served")]
    watch = [*graft, "watch", f"-Smonitoring.watch.port={ports['watch']}"]
    watch += [f"-Smonitoring.watch.token_file={folder / 'watch_token'}"]
    has = partial(has_champion, environment, model)
    found = [Service("api", api, ports["api"], environment, is_wanted=has)]
    from graft.cli import COMMANDS

    if "watch" in COMMANDS:
        found.append(
            Service("watch", watch, ports["watch"], environment, is_wanted=has)
        )
    return found


def observers(folder: Path, ports: Mapping[str, int]) -> list[Service]:
    """Prometheus and Alertmanager, if they are installed, with the files of
    deploy/prometheus."""
    source, target = DEPLOY / "prometheus", folder / "prometheus"
    if not source.is_dir():
        return []
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target)
    for name in ("prometheus.yml", "alertmanager.yml"):
        (target / name).write_text(
            with_ports((source / name).read_text("utf-8"), ports), "utf-8"
        )
    shutil.copy(folder / "watch_token", target / "watch_token")
    found = []
    if program := shutil.which("prometheus"):
        words = [program, f"--config.file={target / 'prometheus.yml'}"]
        words += [f"--storage.tsdb.path={folder / 'metrics'}"]
        words += [f"--web.listen-address=127.0.0.1:{ports['prometheus']}"]
        found.append(Service("prometheus", words, ports["prometheus"]))
    if program := shutil.which("alertmanager") or shutil.which(
        "prometheus-alertmanager"
    ):
        words = [program, f"--config.file={target / 'alertmanager.yml'}"]
        words += [f"--storage.path={folder / 'alerts'}", "--cluster.listen-address="]
        words += [f"--web.listen-address=127.0.0.1:{ports['alertmanager']}"]
        found.append(Service("alertmanager", words, ports["alertmanager"]))
    return found


def with_ports(text: str, ports: Mapping[str, int]) -> str:
    """A configuration of deploy/prometheus with the ports of this stack."""
    for name, port in ADDRESSES.items():
        text = text.replace(f"127.0.0.1:{port}", f"127.0.0.1:{ports[name]}")
    return text


def write_secret_files(folder: Path, secret: Mapping[str, str]) -> None:
    """The files that the API and Alertmanager read, for their owner alone."""
    digest = sha256(secret["API_KEY"].encode()).hexdigest()
    files = {
        "api_keys.json": json.dumps({"stack": digest}),
        "watch_token": secret["WATCH_TOKEN"],
    }
    for name, text in files.items():
        file = folder / name
        file.touch(0o600)
        file.write_text(text, "utf-8")


def has_champion(
    environment: Mapping[str, str],
    model: str,
    opener: Callable[..., object] = urllib.request.urlopen,
) -> bool:
    """Whether MLflow has a version with the alias champion."""
    pair = f"admin:{environment['MLFLOW_TRACKING_PASSWORD']}".encode()
    path = f"/api/2.0/mlflow/registered-models/alias?name={model}&alias=champion"
    request = urllib.request.Request(
        environment["MLFLOW_TRACKING_URI"] + path,
        headers={"Authorization": f"Basic {b64encode(pair).decode()}"},
    )
    try:
        opener(request, timeout=5)
    except (OSError, HTTPException):  # it ends, or says no
        return False
    return True
