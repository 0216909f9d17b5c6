"""`graft drift`: do the requests still look like the training data?"""

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from graft import config, io
from graft.config.monitoring import DriftConfig, RequestLogConfig
from graft.errors import ConfigError, GraftError
from graft.monitoring.drift.analysis import analyse, thin, usable_rows
from graft.monitoring.drift.page import to_page
from graft.monitoring.drift.profile import Profile, read_profile
from graft.monitoring.drift.registered import fetch_profile
from graft.monitoring.drift.report import DriftReport, failed
from graft.monitoring.drift.requests import Encode, read_requests
from graft.monitoring.drift.stream import Alarm, StreamDetector
from graft.monitoring.drift.text import moved_rows, to_text
from graft.monitoring.request_log import read_rows
from graft.prompts import load_template
from graft.records import Message
from graft.tracking.versions import Versions

MS_PER_HOUR = 3_600_000


def run(
    model: config.ModelConfig,
    monitoring: config.MonitoringConfig,
    prompt: config.PromptConfig,
    registry: config.RegistryConfig,
    version: str = "champion",
    /,
    *,
    data: Path | None = None,
    profile: Path | None = None,
    hours: float = 24.0,
    page: Path | None = None,
    rows: Path | None = None,
    limit: int = 1000,
    json: bool = False,
) -> dict[str, Any] | None:
    """Compare the last requests of the request log with the training data of a version.

    The exit status is 0 only if there is an answer and it is no drift; docs/DRIFT.md
    explains the answers, and monitoring.drift in params.yaml sets the window.

    Args:
        version: a number, an alias, or models:/NAME/NUMBER or models:/NAME@ALIAS.
        data: compare this file instead: shards of a request log, or prompts as Parquet
            or JSON Lines with the field prompt.
        profile: compare with this file instead of the version's, such as
            data/profile.parquet.
        hours: read the request log this far back.
        page: write one HTML page to this file.
        rows: write the requests that drifted most, with what the log kept of their
            texts, to this JSON Lines file, which the configuration data=drifted reads.
        limit: maximum number of these rows.
        json: print one JSON document instead of text.
    """
    name, reference = f"{registry.name} {version}", Path()
    if profile is not None:
        name, reference = str(profile), profile
    try:
        known = read_profile(reference) if profile else _registered(registry, version)
        requests = (
            read_requests(data, lambda: _encoder(model, prompt))
            if data
            else _logged(monitoring.request_log, hours)
        )
        requests = thin(requests, monitoring.drift.take_every)
        report = analyse(requests, known, monitoring.drift)
        alarms = _alarms(requests, known, monitoring.drift)
    except GraftError as error:
        if not json:
            raise
        print(f"error: {error}", file=sys.stderr)
        return failed(f"{error.where}: {error.problem}").to_json() | {"exit_status": 1}
    if page:
        io.write_text(page, to_page(report, alarms, requests, name))
        print(f"see {page}")
    if rows:
        chosen = list(moved_rows(report, requests, limit))
        io.write_json_lines(rows, chosen)
        print(f"{rows}: {len(chosen):,} requests" + _why_none(report, len(chosen)))
    status = int(report.state != "no_drift")
    if json:
        found = [{"request": a.request, "feature": a.feature} for a in alarms]
        return report.to_json() | {"stream": found, "exit_status": status}
    print(to_text(report, alarms, requests, name), flush=True)
    if status:
        sys.exit(status)
    return None


def _registered(registry: config.RegistryConfig, version: str) -> Profile:
    versions = Versions(registry)
    return fetch_profile(versions, versions.find(version))


def _logged(log: RequestLogConfig, hours: float) -> pa.Table:
    if log.folder is None:
        raise ConfigError(
            "monitoring.request_log.folder",
            "is null: there is no request log",
            expected="the folder of the log",
            fix="set it, or name a file of prompts with --data",
        )
    since = round(1000 * time.time() - hours * MS_PER_HOUR)
    return read_rows(Path(log.folder), since_ms=since)


def _alarms(requests: pa.Table, known: Profile, drift: DriftConfig) -> Sequence[Alarm]:
    """Of all requests, at the rate of false alarms that the windows have."""
    if known.rows.num_rows < drift.min_requests:
        return []
    mean = drift.window_requests / drift.false_alarm_rate
    return StreamDetector(known, mean).push(usable_rows(requests))


def _encoder(model: config.ModelConfig, prompt: config.PromptConfig) -> Encode:
    template = load_template(model, prompt)

    def encode(text: str) -> Sequence[int]:
        return template.encode_prompt([Message(role="user", content=text)])

    return encode


def _why_none(report: DriftReport, count: int) -> str:
    if count or not report.moved:
        return ""
    return "; the log keeps no texts (monitoring.request_log.texts)"
