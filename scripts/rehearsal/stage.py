"""All processes of the rehearsal together."""

import json
import secrets
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graft.config.params import load_params
from local_stack.processes import free_ports
from rehearsal.load import Load
from rehearsal.panel_data import SpanCollector, guards, span_collector
from rehearsal.processes import running, wait_for, wait_until_answers
from rehearsal.prometheus import Prometheus, prometheus
from rehearsal.serve_with_faults import FILE_VARIABLE
from rehearsal.store import CANARY, Store

TEXTS = ("The cat sleeps.", "Paul eats beans.", "It is late.", "We sold ten houses.")
USERS, PAUSE_S = 8, 0.3
GRAFT = [sys.executable, "-c", "from graft.cli import main; main()"]
SHARE = 0.5
CANARY_S = 20.0
"""After which a canary ends in any case."""
REQUESTS, CANDIDATES = "requests", "drifted.jsonl"
DRIFT_REQUESTS = 120
"""Of a window."""


@dataclass(frozen=True)
class Stage:
    """What scenarios use.

    Args:
        faults: file that `graft serve` of the rehearsal reads for each request.
        folder: of all files.
        scale: how much longer everything may take than on two quiet cores.
        training_port: where Prometheus looks for the metrics of a training.
        collector: of the spans of the API.
    """

    store: Store
    monitor: Prometheus
    load: Load
    faults: Path
    folder: Path
    url: str
    scale: float
    training_port: int
    collector: SpanCollector

    def plant(self, fault: "str | float", number: str) -> None:
        """Let a version fail (`errors`), or wait for so many seconds."""
        self.faults.write_text(json.dumps({number: fault}), "utf-8")

    def end_of(self, number: str) -> str:
        """Why a canary ended. Its tags may come a moment after its end."""
        wait_for("its reason", lambda: self.store.end_of(number), 30 * self.scale)
        return self.store.end_of(number)

    def served(self, alias: str) -> str | None:
        """The number of the version that the API has for an alias."""
        with urllib.request.urlopen(f"{self.url}/admin/versions", timeout=30) as found:
            aliases: dict[str, str] = json.load(found)["aliases"]
        return aliases.get(alias)


@contextmanager
def open_stage(folder: Path, scale: float) -> Iterator[Stage]:
    """Start all processes; they end with the block. Their logs are in the folder."""
    names = ("mlflow", "api", "serve", "watch", "training")
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    faults, token = folder / "faults.json", folder / "watch_token"
    faults.write_text("{}", "utf-8")
    token.write_text(secrets.token_hex(16), "utf-8")
    with (
        _mlflow(folder, ports["mlflow"], scale) as uri,
        span_collector() as collector,
    ):
        params = load_params(Path("params.yaml"))
        registry = params.registry.model_copy(update={"tracking_uri": uri})
        store = Store(params.model_copy(update={"registry": registry}), folder)
        store.fill()
        print("the versions are registered", flush=True)
        store.promote(store.add("good"), "the first champion")
        environment = {"MLFLOW_TRACKING_URI": uri, FILE_VARIABLE: str(faults)}
        with (
            _serve(folder, ports, environment, collector, scale) as url,
            _watch(folder, ports["watch"], environment, token, scale),
            prometheus(
                folder,
                {
                    f"graft-{name}": ports[name]
                    for name in ("serve", "watch", "training")
                },
                ports["watch"],
                token,
                scale,
            ) as monitor,
            Load(url, registry.name, TEXTS, USERS, PAUSE_S * scale) as load,
        ):
            yield Stage(
                *(store, monitor, load, faults, folder, url, scale),
                training_port=ports["training"],
                collector=collector,
            )


@contextmanager
def _mlflow(folder: Path, port: int, scale: float) -> Iterator[str]:
    words = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1"]
    words += ["--port", str(port), "--workers", "1"]
    words += ["--backend-store-uri", f"sqlite:///{folder}/mlflow.db"]
    words += ["--artifacts-destination", str(folder / "artifacts")]
    environment = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with running("mlflow", words, folder, environment) as process:
        url = f"http://127.0.0.1:{port}"
        wait_until_answers(f"{url}/health", process, folder / "mlflow.log", scale)
        yield url


@contextmanager
def _serve(
    folder: Path,
    ports: dict[str, int],
    environment: dict[str, str],
    collector: SpanCollector,
    scale: float,
) -> Iterator[str]:
    program = Path(__file__).with_name("serve_with_faults.py")
    settings = {
        "serving.port": ports["api"],
        "serving.poll_s": 0.5,
        "serving.canary": f"{{alias: {CANARY}, share: {SHARE}, shadow: false}}",
        "serving.deadline_s": 60 * scale,
        "serving.guards": guards(folder),
        "monitoring.telemetry.otlp_endpoint": collector.url,
        "monitoring.telemetry.port": ports["serve"],
        **_logs(folder),
        "monitoring.request_log.shard_s": 1.0,
    }
    words = [sys.executable, str(program), "serve", "--cache", str(folder / "cache")]
    with running("serve", words + _to_words(settings), folder, environment) as process:
        url = f"http://127.0.0.1:{ports['api']}"
        log = folder / "serve.log"
        wait_until_answers(f"{url}/health/ready", process, log, scale)
        yield url


@contextmanager
def _watch(
    folder: Path, port: int, environment: dict[str, str], token: Path, scale: float
) -> Iterator[None]:
    settings = {
        "monitoring.watch.port": port,
        "monitoring.watch.token_file": token,
        "monitoring.watch.state_file": folder / "watch.json",
        "monitoring.watch.max_actions": 20,
        "monitoring.watch.candidates": folder / CANDIDATES,
        **_logs(folder),
        "monitoring.canary.every_s": 1.0,
        "monitoring.canary.max_s": CANARY_S * scale,
        "monitoring.canary.promote": "true",  # what must never happen here
        "monitoring.drift.every_s": 3.0,
        "monitoring.drift.window_requests": DRIFT_REQUESTS,
        "monitoring.drift.min_requests": DRIFT_REQUESTS // 2,
        "serving.canary": f"{{alias: {CANARY}, share: {SHARE}, shadow: false}}",
    }
    words = [*GRAFT, "watch", *_to_words(settings)]
    with running("watch", words, folder, environment) as process:
        url = f"http://127.0.0.1:{port}/health"
        wait_until_answers(url, process, folder / "watch.log", scale)
        yield


def _logs(folder: Path) -> dict[str, Any]:
    """What the API writes and the watcher reads."""
    return {
        "monitoring.request_log.folder": folder / REQUESTS,
        "monitoring.request_log.texts": "true",
        "monitoring.feedback.folder": folder / "feedback",
    }


def _to_words(settings: dict[str, Any]) -> list[str]:
    return [f"-S{name}={value}" for name, value in settings.items()]
