"""Prometheus and Alertmanager with the committed rules and routes, at intervals of a
second and on free ports."""

import json
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from local_stack.processes import free_ports
from rehearsal.processes import running, wait_until_answers

COMMITTED = Path("deploy/prometheus")


@dataclass(frozen=True)
class Prometheus:
    """A Prometheus that runs."""

    url: str

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The samples of an instant query. Raises: OSError if it is refused."""
        words = urllib.parse.urlencode({"query": expression})
        with urllib.request.urlopen(f"{self.url}/api/v1/query?{words}") as found:
            return list(json.load(found)["data"]["result"])

    def firing(self, alert: str, version: str | None = None) -> bool:
        """Whether an alert fires, about a version or about any."""
        labels = f'alertname="{alert}",alertstate="firing"'
        if version is not None:
            labels += f',version="{version}"'
        return bool(self.query(f"ALERTS{{{labels}}}"))


@contextmanager
def prometheus(
    folder: Path, targets: Mapping[str, int], watch_port: int, token: Path, scale: float
) -> Iterator[Prometheus]:
    """Run both until the end of the block.

    Args:
        folder: for their files.
        targets: port of each job.
        watch_port: of `graft watch`, which receives alerts.
        token: file of the secret.
    """
    port, alert_port = free_ports(2)
    write_configs(
        folder, {**targets, "prometheus": port}, watch_port, alert_port, token
    )
    host = "--web.listen-address=127.0.0.1"
    with ExitStack() as stack:
        for name, number, words in (
            (
                "alertmanager",
                alert_port,
                [
                    "prometheus-alertmanager",
                    f"--config.file={folder}/alertmanager.yml",
                    f"--storage.path={folder}/alertmanager",
                    "--cluster.listen-address=",
                ],
            ),
            (
                "prometheus",
                port,
                [
                    "prometheus",
                    f"--config.file={folder}/prometheus.yml",
                    f"--storage.tsdb.path={folder}/prometheus",
                ],
            ),
        ):
            process = stack.enter_context(
                running(name, [*words, f"{host}:{number}"], folder)
            )
            log = folder / f"{name}.log"
            ready = f"http://127.0.0.1:{number}/-/ready"
            wait_until_answers(ready, process, log, scale)
        yield Prometheus(f"http://127.0.0.1:{port}")


def write_configs(
    folder: Path,
    targets: Mapping[str, int],
    watch_port: int,
    alert_port: int,
    token: Path,
) -> None:
    """The committed configurations with these ports, each second."""
    config = yaml.safe_load((COMMITTED / "prometheus.yml").read_text("utf-8"))
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    config["rule_files"] = [f"{COMMITTED.absolute()}/rules/*.yml"]
    managers = config["alerting"]["alertmanagers"]
    managers[0]["static_configs"] = _static(alert_port)
    config["scrape_configs"] = [
        {"job_name": one["job_name"], "static_configs": _static(port)}
        for one in config["scrape_configs"]
        if (port := targets.get(one["job_name"]))
    ]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config), "utf-8")
    routes = yaml.safe_load((COMMITTED / "alertmanager.yml").read_text("utf-8"))
    for receiver in routes["receivers"]:
        if receiver["name"] == "graft-watch":
            webhook = receiver["webhook_configs"][0]
            webhook["url"] = f"http://127.0.0.1:{watch_port}/alerts"
            webhook["http_config"]["authorization"]["credentials_file"] = str(token)
        else:  # nobody is to be woken by a rehearsal
            receiver.pop("webhook_configs")
    (folder / "alertmanager.yml").write_text(yaml.safe_dump(routes), "utf-8")


def _static(port: int) -> Sequence[Mapping[str, Sequence[str]]]:
    return [{"targets": [f"127.0.0.1:{port}"]}]
