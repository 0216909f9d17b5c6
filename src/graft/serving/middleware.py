"""Around each request: its id, the limit of its size, and its record."""

import json
import re
import secrets
from collections.abc import Sequence

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from graft.monitoring.served_request import RequestObserver
from graft.monitoring.trace_context import to_trace
from graft.serving.errors import ApiError
from graft.serving.json_log import PROBES
from graft.serving.open_request import OpenRequest, tell

ID_HEADER = "x-request-id"
OTHER = "other"
"""Route of requests for unknown paths."""
_ID = re.compile(r"[\w.-]{1,64}")


class RequestMiddleware:
    """ASGI middleware.

    Args:
        app: what answers.
        max_body_bytes: size of a body; a larger one is answered with status 413.
        starts_traces: whether a request that is in no trace begins one.
        observers: are told of each request when it has ended.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        max_body_bytes: int,
        starts_traces: bool,
        observers: Sequence[RequestObserver],
    ) -> None:
        self._app, self._max_bytes = app, max_body_bytes
        self._starts_traces, self._observers = starts_traces, observers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {
            name.decode(): value.decode("latin-1") for name, value in scope["headers"]
        }
        given = headers.get(ID_HEADER, "")
        starts = self._starts_traces and not scope["path"].startswith(PROBES)
        request = OpenRequest(
            given if _ID.fullmatch(given) else secrets.token_hex(12),
            to_trace(headers.get("traceparent"), starts_traces=starts),
        )
        scope.setdefault("state", {})["open"] = request
        status, num_bytes, is_too_large = 0, 0, False

        async def limited() -> Message:
            nonlocal num_bytes, is_too_large
            message = await receive()
            num_bytes += len(message.get("body", b""))
            if num_bytes > self._max_bytes:
                is_too_large = True
                raise ConnectionError("the body is too large")
            return message

        async def marked(message: Message) -> None:
            nonlocal status
            if is_too_large and not status:
                return  # FastAPI's answer to the error of `limited`
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [
                    *message["headers"],
                    (ID_HEADER.encode(), request.id.encode()),
                ]
            await send(message)

        try:
            length = headers.get("content-length", "0")
            is_too_large = length.isdigit() and int(length) > self._max_bytes
            if not is_too_large:
                await self._app(scope, limited, marked)
            if is_too_large:
                is_too_large = False
                request.error = self._too_large()
                await _refuse(marked, request.error)
        except ClientDisconnect:
            pass
        except BaseException:  # also a cancellation: the request is lost
            request.failed = True
            raise
        finally:
            route = getattr(scope.get("route"), "path", OTHER)
            tell(self._observers, request.to_served(scope["method"], route, status))

    def _too_large(self) -> ApiError:
        return ApiError(
            413,
            f"the body is larger than {self._max_bytes} bytes",
            code="request_too_large",
        )


async def _refuse(send: Send, error: ApiError) -> None:
    body = json.dumps(error.to_body()).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
    ]
    await send(
        {"type": "http.response.start", "status": error.status, "headers": headers}
    )
    await send({"type": "http.response.body", "body": body})
