"""Spans of requests to a collector, by OTLP over HTTP."""

import logging
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult

from graft.errors import ConfigError
from graft.monitoring.names import Serving
from graft.monitoring.readings import Reading
from graft.monitoring.served_request import ServedRequest
from graft.monitoring.spans import to_spans

LOGGER = logging.getLogger(__name__)
PATH = "/v1/traces"
MOST_WAITING = 2048
"""Requests whose spans wait for the collector; past them, spans are dropped."""
MOST_AT_ONCE = 512
TIMEOUT_S = 5.0
"""Of one export, with its repetitions; also the longest wait at the end."""
Export = Callable[[Sequence[ReadableSpan]], SpanExportResult]


class Traces:
    """A `RequestObserver`: makes and exports spans in a thread of its own.

    Args:
        export: may take long, and fail.
        resource: describes this server.
        most_waiting: requests; past them, spans are dropped.
    Attributes:
        num_dropped: spans that could not be exported.
    """

    def __init__(
        self, export: Export, resource: Resource, most_waiting: int = MOST_WAITING
    ) -> None:
        self._export, self._resource = export, resource
        self._waiting = queue.Queue[ServedRequest | None](most_waiting)
        self._thread = threading.Thread(target=self._run, daemon=True, name="traces")
        self._is_failing = False
        self.num_dropped = 0
        self._thread.start()

    def observe(self, request: ServedRequest) -> None:
        """Let the spans of a traced request be exported."""
        if request.trace is None:
            return
        try:
            self._waiting.put_nowait(request)
        except queue.Full:
            self.num_dropped += 1 + (request.version is not None)

    def readings(self) -> list[Reading]:
        """For /metrics."""
        return [Reading(Serving.SPANS_DROPPED, self.num_dropped)]

    def close(self, timeout_s: float = TIMEOUT_S) -> None:
        """Export what waits, as far as the time suffices."""
        try:
            self._waiting.put(None, timeout=timeout_s)
        except queue.Full:
            return  # the thread ends with the process
        self._thread.join(timeout_s)

    def _run(self) -> None:
        is_open = True
        while is_open:
            requests = [self._waiting.get()]
            while len(requests) < MOST_AT_ONCE and not self._waiting.empty():
                requests.append(self._waiting.get())
            is_open = None not in requests
            spans = [
                span
                for request in requests
                if request is not None
                for span in to_spans(request, self._resource)
            ]
            if spans:
                self._send(spans)

    def _send(self, spans: Sequence[ReadableSpan]) -> None:
        try:
            is_sent = self._export(spans) is SpanExportResult.SUCCESS
        except Exception:  # pylint: disable=broad-exception-caught
            is_sent = False  # an exporter must not end the thread
        if not is_sent:
            self.num_dropped += len(spans)
        if is_sent == self._is_failing:  # it was otherwise before
            LOGGER.warning("the collector of traces %s", _state(is_sent))
        self._is_failing = not is_sent


def _state(is_sent: bool) -> str:
    return "answers again" if is_sent else "does not take spans; they are dropped"


@contextmanager
def open_traces(endpoint: str) -> Iterator[Traces]:
    """Export to a collector until the end of the block.

    `OTEL_RESOURCE_ATTRIBUTES` and the variables of the exporter, such as
    `OTEL_EXPORTER_OTLP_HEADERS`, are those of OpenTelemetry.

    Args:
        endpoint: address without the path /v1/traces.
    Raises: ConfigError if it is no address of HTTP.
    """
    if not endpoint.startswith(("http://", "https://")):
        raise ConfigError(
            "monitoring.telemetry.otlp_endpoint",
            f"{endpoint!r} is not an address of HTTP",
            expected="an address such as http://127.0.0.1:4318",
            fix="set the collector's port for OTLP over HTTP, not that for gRPC",
        )
    exporter = OTLPSpanExporter(endpoint.rstrip("/") + PATH, timeout=TIMEOUT_S)
    resource = Resource.create({"service.name": "graft"})
    traces = Traces(exporter.export, resource)
    try:
        yield traces
    finally:
        traces.close()
        exporter.shutdown()  # type: ignore[no-untyped-call]
