"""The place of a request in a trace, as the header `traceparent` carries it.

Source: W3C, Trace Context (https://www.w3.org/TR/trace-context/).
"""

import re
import secrets
from dataclasses import dataclass

_HEADER = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})"
    r"(?:-.*)?"
)
_SAMPLED = 1


@dataclass(frozen=True)
class TraceContext:
    """The span of one request.

    Args:
        trace_id: 32 hexadecimal digits.
        span_id: of this request, 16 hexadecimal digits.
        parent_id: of the caller's span; None if the trace begins here.
    """

    trace_id: str
    span_id: str
    parent_id: str | None = None


def to_trace(traceparent: str | None, *, starts_traces: bool) -> TraceContext | None:
    """The span of a request; None if it is not traced.

    Args:
        traceparent: the header; one that is not valid is ignored, as W3C demands.
        starts_traces: whether a request without the header begins a trace.
    """
    found = _HEADER.fullmatch(traceparent or "")
    if found is None:
        if not starts_traces:
            return None
        return TraceContext(secrets.token_hex(16), secrets.token_hex(8))
    trace_id, parent_id, flags = found.groups()
    if not int(flags, 16) & _SAMPLED:  # the caller has decided so
        return None
    return TraceContext(trace_id, secrets.token_hex(8), parent_id)
