"""The request log and traces of a real API while what they write to fails: clients
notice nothing, losses are counted, and a real Prometheus raises the alerts."""

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import which
from typing import Any

import httpx2
import pytest
import yaml
from api_server import Running, running, wait_until
from echo_engine import SteadyEcho
from prometheus_client.parser import text_string_to_metric_families
from small_disk import fill
from tiny_server import load_without_weights, serving_config

from graft.cloud.remote_folder import RemoteFolder
from graft.config import MonitoringConfig
from graft.monitoring.names import Metric, Serving
from graft.monitoring.request_log import read_rows
from graft.serving.observers import open_observers
from local_stack.processes import Running as Program
from local_stack.processes import free_ports
from local_stack.stores import prepare_s3, s3_service
from rehearsal.prometheus import Prometheus, prometheus

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not all(map(which, ("prometheus", "prometheus-alertmanager"))),
        reason="Prometheus and Alertmanager are not installed",
    ),
]
WAIT_S = 120.0
BODY = {"model": "translator", "prompt": "The cat sleeps.", "max_tokens": 4}


@dataclass
class Api:
    """A server whose metrics are scraped.

    Attributes:
        ids: of the requests that it has answered.
    """

    server: Running
    metrics_url: str
    monitor: Prometheus
    ids: list[str]

    def ask(self, number: int) -> None:
        """Each request has to be answered."""
        for _ in range(number):
            answer = self.server.post("/v1/completions", **BODY)
            assert answer.status_code == 200
            self.ids.append(answer.headers["x-request-id"])

    def value(self, metric: Metric, **labels: str) -> float:
        """Of a metric, now."""
        text = httpx2.get(self.metrics_url, timeout=60).text
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                if sample.name == metric.name and sample.labels == labels:
                    return float(sample.value)
        raise KeyError(metric.name)

    def wait_for(self, alert: str) -> None:
        wait_until(lambda: self.monitor.firing(alert), WAIT_S)

    def scraped(self, metric: Metric) -> bool:
        """Whether Prometheus has values of a metric."""
        return bool(self.monitor.query(metric.name))


@contextmanager
def serve(
    folder: Path, requests: Path, otlp_endpoint: str | None = None, **log: Any
) -> Iterator[Api]:
    """The API, and a Prometheus with the committed rules."""
    values = yaml.safe_load(Path("params.yaml").read_text("utf-8"))["monitoring"]
    values["telemetry"] |= {"port": 0, "otlp_endpoint": otlp_endpoint}
    values["feedback"] |= {"folder": None}
    values["request_log"] |= {"folder": str(requests), "shard_s": 0.2, **log}
    config, serving = MonitoringConfig.model_validate(values), serving_config()
    folder.mkdir()
    (folder / "token").write_text("secret", "utf-8")
    with ExitStack() as stack:
        opened = stack.enter_context(open_observers(serving, config))
        server = stack.enter_context(
            running(
                load_without_weights(),
                serving,
                SteadyEcho(),
                observers=opened.requests,
                starts_traces=otlp_endpoint is not None,
            )
        )
        port = opened.metrics_port
        assert port is not None
        targets, (unused,) = {"graft-serve": port}, free_ports(1)
        monitor = stack.enter_context(
            prometheus(folder, targets, unused, folder / "token", scale=3.0)
        )
        api = Api(server, f"http://127.0.0.1:{port}/metrics", monitor, [])
        wait_until(lambda: api.scraped(Serving.LOG_DROPPED), WAIT_S)
        yield api


class S3:
    """A real server of S3, which keeps its objects on the disk when it is killed."""

    def __init__(self, folder: Path) -> None:
        self._folder, (port,) = folder, free_ports(1)
        folder.mkdir()
        prepare_s3(folder)
        self._service = s3_service(folder, port, "pa55word")
        self.environment = {
            "AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{port}",
            "AWS_ACCESS_KEY_ID": "graft",
            "AWS_SECRET_ACCESS_KEY": "pa55word",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

        self._program = self._start()

    def _start(self) -> Program:
        program = Program(self._service, self._folder)
        wait_until(lambda: program.is_ready, WAIT_S)
        return program

    def restart(self) -> None:
        self._program = self._start()

    def kill(self) -> None:
        os.killpg(self._program.process.pid, 9)
        self._program.process.wait()

    def end(self) -> None:
        self._program.end()


@pytest.fixture
def s3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3]:
    import boto3

    server = S3(tmp_path / "s3")
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    boto3.client("s3").create_bucket(Bucket="log")
    yield server
    server.end()


def fetched_ids(remote: RemoteFolder, folder: Path) -> list[str]:
    """The requests of all shards of the remote; each shard is read whole, and its
    checksums are verified."""
    folder.mkdir()
    for name in remote.names():
        remote.fetch(name, folder / name)
    return list(read_rows(folder)["id"].to_pylist())


def test_what_s3_misses_while_it_is_dead_arrives_whole_when_it_is_back(
    tmp_path: Path, s3: S3
) -> None:
    address, log = "s3://log/requests", tmp_path / "log"
    remote = RemoteFolder(address)
    with serve(tmp_path / "monitor", log, remote=address) as api:
        api.ask(10)
        wait_until(lambda: bool(remote.names()), WAIT_S)
        s3.kill()
        api.ask(10)
        api.wait_for("GraftRequestLogNotCopied")
        assert api.value(Serving.LOG_UPLOAD_FAILURES) > 0
        s3.restart()
        api.ask(10)
    assert fetched_ids(remote, tmp_path / "fetched") == api.ids
    assert len(api.ids) == 30


def test_a_full_disk_costs_rows_which_are_counted_and_raise_an_alert(
    tmp_path: Path, small_disk: Path
) -> None:
    log = small_disk / "log"
    with serve(tmp_path / "monitor", log) as api:
        api.ask(5)
        wait_until(lambda: api.value(Serving.LOG_ROWS) == 5, WAIT_S)
        fill(small_disk, 0)
        api.ask(10)
        lost = {"reason": "write_failed"}
        wait_until(lambda: api.value(Serving.LOG_DROPPED, **lost) == 10, WAIT_S)
        api.wait_for("GraftRequestLogLosesRows")
        (small_disk / "filler").unlink()
        api.ask(5)
    assert list(read_rows(log)["id"].to_pylist()) == api.ids[:5] + api.ids[15:]


def test_a_dead_collector_costs_spans_and_retention_without_a_remote_is_no_loss(
    tmp_path: Path,
) -> None:
    (port,) = free_ports(1)  # nobody listens there
    log, endpoint = tmp_path / "log", f"http://127.0.0.1:{port}"
    with serve(tmp_path / "monitor", log, endpoint, max_bytes=20_000) as api:

        for _ in range(10):
            api.ask(2)
            wait_until(lambda: api.value(Serving.LOG_ROWS) == len(api.ids), WAIT_S)
        api.wait_for("GraftSpansDropped")
        assert api.value(Serving.SPANS_DROPPED) > 0
        time.sleep(3)  # further scrapes and evaluations
        assert not api.monitor.firing("GraftRequestLogLosesRows")
        assert api.value(Serving.LOG_DROPPED, reason="quota") == 0
    assert 0 < read_rows(log).num_rows < len(api.ids)
