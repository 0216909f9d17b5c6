"""What is told of requests, and what is exported, while `graft serve` runs."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from graft.config import MonitoringConfig, ServingConfig
from graft.monitoring.exposition import ReadingsCollector
from graft.monitoring.metrics import RequestMetrics
from graft.monitoring.readings import Readings
from graft.monitoring.served_request import RequestObserver
from graft.serving.feedback_store import FeedbackStore
from graft.serving.json_log import JsonLog
from graft.serving.request_recording import open_request_log
from graft.telemetry.port import metrics_port


@dataclass(frozen=True)
class Observers:
    """The configured observers.

    Args:
        requests: are told of each request when it has ended.
        readings: are read for /metrics; a server adds its own.
        metrics_port: None: there is none.
    """

    requests: Sequence[RequestObserver]
    readings: list[Readings]
    metrics_port: int | None


@contextmanager
def open_observers(
    serving: ServingConfig, monitoring: MonitoringConfig
) -> Iterator[Observers]:
    """Open the configured observers; what they hold is written at the end of the block.

    Raises: GraftError if one of them cannot work.
    """
    metrics, telemetry = RequestMetrics(), monitoring.telemetry
    requests: list[RequestObserver] = [JsonLog(serving.log_texts), metrics]
    readings: list[Readings] = []
    metrics.registry.register(ReadingsCollector(readings))
    with ExitStack() as stack:
        port = None
        if telemetry.port is not None:
            address = (telemetry.host, telemetry.port)
            port = stack.enter_context(
                metrics_port(metrics.registry, *address, "monitoring.telemetry")
            )
        if telemetry.otlp_endpoint is not None:
            from graft.monitoring.traces import open_traces  # half a second

            traces = stack.enter_context(open_traces(telemetry.otlp_endpoint))
            requests.append(traces)
            readings.append(traces.readings)
        if monitoring.feedback.folder is not None:
            folder = Path(monitoring.feedback.folder)
            store = FeedbackStore(folder, monitoring.feedback.max_bytes)
            requests.append(store)
            readings.append(store.readings)
        log = stack.enter_context(open_request_log(monitoring.request_log))
        if log is not None:
            requests.append(log)
            readings.append(log.readings)
        yield Observers(requests, readings, port)
