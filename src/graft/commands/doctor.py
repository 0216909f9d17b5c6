"""`graft doctor`: check this machine and project before anything is run."""

import os
import shutil
import sys
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from graft.config.params import PARAMS, Params, load_params
from graft.doctor import credentials, machine, packages, project, remotes, store
from graft.doctor.findings import Check, Finding, examine, to_text
from graft.errors import GraftError


def run(*, limit: float = 8.0, json: bool = False) -> dict[str, Any] | None:
    """Check machine, GPU, disk, packages, credentials, remotes, MLflow and parameters.

    Nothing is changed. The exit status is 1 if there is an error.

    Args:
        limit: seconds after which a check without a result is abandoned.
        json: print one JSON document instead of text.
    """
    params, problem = None, None
    try:
        params = load_params(PARAMS)
    except GraftError as error:
        problem = error
    findings = examine(to_checks(params, problem, Path.cwd()), limit)
    failed = any(one.status == "error" for one in findings)
    if json:
        rows = [vars(one) for one in findings]
        return {"findings": rows} | ({"exit_status": 1} if failed else {})
    print(to_text(findings))
    if failed:
        sys.exit(1)
    return None


def to_checks(
    params: Params | None, problem: GraftError | None, root: Path
) -> dict[str, Check]:
    """The checks by subject. Those that depend on the parameters are left out if these
    are invalid."""
    from graft.cloud.data import read_remotes
    from graft.hardware.machine import available_gib

    default, options = read_remotes(root)
    urls = [one.get("url", "") for one in options.values()]
    if params and params.monitoring.request_log.remote:
        urls.append(params.monitoring.request_log.remote)
    on_s3 = any(url.startswith("s3://") for url in urls)
    on_hub = params is not None and not Path(params.model.path).is_dir()
    home, free = Path.home(), partial(shutil.disk_usage, root)
    programs = {name: shutil.which(name) is not None for name in ("git",)}
    checks: dict[str, Check] = {
        "machine": lambda: machine.check_system(*machine.read_system()),
        "memory": lambda: machine.check_memory(available_gib()),
        "disk": lambda: machine.check_disk(
            free().free / 2**30, os.access(root, os.W_OK), str(root)
        ),
        "GPU": lambda: machine.check_gpu(
            machine.read_driver(), machine.read_torch(), params
        ),
        "Python": lambda: packages.check_python(sys.version_info[:3]),
        "packages": lambda: packages.check_packages(
            packages.read_required(),
            packages.read_lock(root / "requirements.txt"),
            packages.read_installed(),
        ),
        "programs": lambda: packages.check_programs(programs),
        "AWS credentials": lambda: credentials.check_aws(os.environ, home, on_s3),
        "Hub token": lambda: credentials.check_hub(os.environ, home, on_hub),
        "MLflow user": lambda: credentials.check_mlflow_user(os.environ, home),
        "secrets": lambda: remotes.check_committed(
            _text(root / ".dvc/config"), ".dvc/config"
        ),
        "remotes": lambda: remotes.check_remotes(
            default, options, remotes.reach_remote
        ),
        "params.yaml": lambda: project.check_params(problem, _differing(params)),
    }
    if params is not None:
        checks["base model"] = lambda: _check_model(params)
        checks["MLflow"] = lambda: _check_store(params)
    return checks


def _check_model(params: Params) -> list[Finding]:
    from graft.preflight.hub import is_cached

    return project.check_model(params.model, is_cached)


def _check_store(params: Params) -> list[Finding]:
    from graft.tracking.place import sqlite_file, tracking_uri

    uri = tracking_uri(params.registry, Path.cwd())
    if (file := sqlite_file(uri)) is not None:
        return store.check_file(file)
    if uri.startswith(("http://", "https://")):
        installed = version("mlflow-skinny")
        return store.check_server(uri, os.environ, installed, store.get)
    return store.check_database(uri)


def _differing(params: Params | None) -> list[str]:
    """Keys that differ from configs/; none if there are no groups here."""
    from graft.config.compose import CONFIGS, compose, differences

    if params is None or not CONFIGS.is_dir():
        return []
    return differences(compose())


def _text(file: Path) -> str:
    return file.read_text("utf-8") if file.is_file() else ""
