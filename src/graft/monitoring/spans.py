"""Records of requests as spans.

Names and attributes are those of OpenTelemetry's semantic conventions for HTTP servers
and for generative AI. Texts are never part of a span.
"""

import secrets
from collections.abc import Iterator

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, TraceFlags
from opentelemetry.trace.status import Status, StatusCode
from opentelemetry.util.types import AttributeValue

from graft.monitoring.served_request import ServedRequest

CHAT = "/v1/chat/completions"
_SCOPE = InstrumentationScope("graft")
_FAILURES = ("failed", "deadline")
"""Outcomes that are errors of a server; those of its clients leave a span's status
unset."""


def to_spans(request: ServedRequest, resource: Resource) -> Iterator[ReadableSpan]:
    """The span of the request, and below it that of the model, if one was chosen.

    Nothing, if the request is not traced.
    """
    trace = request.trace
    if trace is None:
        return
    start = request.time_ms * 1_000_000
    end = start + round(request.duration_s * 1e9)
    status = Status(
        StatusCode.ERROR if request.outcome in _FAILURES else StatusCode.UNSET
    )
    own = _context(trace.trace_id, trace.span_id, is_remote=False)
    parent = trace.parent_id
    yield ReadableSpan(
        f"{request.method} {request.route}",
        own,
        parent=_context(trace.trace_id, parent, is_remote=True) if parent else None,
        resource=resource,
        attributes=_http(request),
        kind=SpanKind.SERVER,
        status=status,
        start_time=start,
        end_time=end,
        instrumentation_scope=_SCOPE,
    )
    if request.version is not None:
        yield ReadableSpan(
            f"{_operation(request)} {request.version}",
            _context(trace.trace_id, secrets.token_hex(8), is_remote=False),
            parent=own,
            resource=resource,
            attributes=_model(request, request.version),
            kind=SpanKind.INTERNAL,
            status=status,
            start_time=start,
            end_time=end,
            instrumentation_scope=_SCOPE,
        )


def _context(trace_id: str, span_id: str, *, is_remote: bool) -> SpanContext:
    sampled = TraceFlags(TraceFlags.SAMPLED)
    return SpanContext(int(trace_id, 16), int(span_id, 16), is_remote, sampled)


def _operation(request: ServedRequest) -> str:
    return "chat" if request.route == CHAT else "text_completion"


def _http(request: ServedRequest) -> dict[str, AttributeValue]:
    found: dict[str, AttributeValue] = {
        "http.request.method": request.method,
        "http.route": request.route,
        "http.response.status_code": request.status,
        "graft.request.id": request.id,
        "graft.outcome": request.outcome,
    }
    return found | _error(request)


def _model(request: ServedRequest, version: str) -> dict[str, AttributeValue]:
    found: dict[str, AttributeValue] = {
        "gen_ai.operation.name": _operation(request),
        "gen_ai.provider.name": "graft",
        "gen_ai.request.model": version,
        "gen_ai.response.model": version,
        "gen_ai.response.finish_reasons": list(request.finishes),
        "gen_ai.usage.input_tokens": request.num_prompt_tokens,
        "gen_ai.usage.output_tokens": request.num_completion_tokens,
        "graft.group": request.group or "",
    }
    if request.first_token_s is not None:
        found["gen_ai.response.time_to_first_chunk"] = request.first_token_s
    for guard, number in request.guards.items():
        found[f"graft.guard.{guard}"] = number
    return found | _error(request)


def _error(request: ServedRequest) -> dict[str, AttributeValue]:
    if request.outcome == "completed":
        return {}
    return {"error.type": request.error or request.outcome}
