"""Spans on their way to a collector."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx2
import pytest
from api_server import running
from echo_engine import SteadyEcho
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from served_requests import served_request
from tiny_server import load_without_weights, serving_config
from waiting import wait_until

from graft.errors import ConfigError
from graft.monitoring.spans import to_spans
from graft.monitoring.trace_context import TraceContext
from graft.monitoring.traces import Traces, open_traces

TRACE = TraceContext("a" * 32, "b" * 16, "c" * 16)
BODY = {"model": "translator", "prompt": "A secret.", "max_tokens": 4}


@contextmanager
def collector(status: int = 200) -> Iterator[tuple[str, list[bytes]]]:
    """A receiver of OTLP on this machine: its address, and what it has received."""
    bodies: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # pylint: disable=invalid-name
            assert self.path == "/v1/traces"
            bodies.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: Any) -> None:  # pylint: disable=arguments-differ
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", bodies
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def received(bodies: Sequence[bytes]) -> list[Any]:
    """The spans of these messages."""
    message_type = getattr(trace_service_pb2, "ExportTraceServiceRequest")
    return [
        span
        for body in bodies
        for resource in message_type.FromString(body).resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


def test_a_request_s_spans_continue_the_caller_s_trace_at_a_real_collector() -> None:
    loaded, serving = load_without_weights(), serving_config()
    with collector() as (url, bodies):
        with open_traces(url) as traces:
            with running(loaded, serving, SteadyEcho(), observers=[traces]) as api:
                httpx2.post(
                    f"{api.url}/v1/completions",
                    json=BODY,
                    headers={"traceparent": f"00-{'1' * 32}-{'2' * 16}-01"},
                    timeout=60,
                )
        assert traces.num_dropped == 0
    http, model = received(bodies)
    assert http.name == "POST /v1/completions" and http.trace_id.hex() == "1" * 32
    assert http.parent_span_id.hex() == "2" * 16
    assert model.name == "text_completion translator/3"
    assert model.parent_span_id == http.span_id
    keys = {one.key for one in model.attributes}
    assert {"gen_ai.usage.output_tokens", "gen_ai.response.finish_reasons"} <= keys
    assert b"secret" not in b"".join(bodies)


@pytest.mark.parametrize("status", [None, 400])
def test_a_dead_or_refusing_collector_costs_spans_and_nothing_else(
    status: int | None,
) -> None:
    with collector(status or 200) as (url, _):
        if status:
            with open_traces(url) as traces:
                traces.observe(served_request(trace=TRACE))
    if not status:
        with open_traces(url) as traces:  # nobody listens there any more
            traces.observe(served_request(trace=TRACE))
            wait_until(lambda: traces.num_dropped == 2, 60)
    assert traces.num_dropped == 2
    assert traces.readings()[0].value == 2


def test_a_slow_collector_never_blocks_a_request_and_lost_spans_are_counted() -> None:
    goes_on = threading.Event()
    sent: list[ReadableSpan] = []

    def slow(spans: Sequence[ReadableSpan]) -> SpanExportResult:
        goes_on.wait()
        sent.extend(spans)
        return SpanExportResult.SUCCESS

    traces = Traces(slow, Resource.get_empty(), most_waiting=3)
    for _ in range(50):
        traces.observe(served_request(trace=TRACE))
    assert traces.num_dropped >= 2 * (50 - 3 - 3)
    goes_on.set()
    traces.close(60)
    assert len(sent) + traces.num_dropped == 100


def test_errors_of_the_server_mark_the_span_and_those_of_clients_do_not() -> None:
    def status(**changes: Any) -> str:
        request = served_request(trace=TRACE, **changes)
        http, *_ = to_spans(request, Resource.get_empty())
        return http.status.status_code.name

    assert status(outcome="failed", status=500) == "ERROR"
    assert status(outcome="client_error", status=400) == "UNSET"
    assert not list(to_spans(served_request(trace=None), Resource.get_empty()))


def test_an_address_for_grpc_is_refused() -> None:
    with pytest.raises(ConfigError, match="otlp_endpoint"):
        with open_traces("127.0.0.1:4317"):
            pass
