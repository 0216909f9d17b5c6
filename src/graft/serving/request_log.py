"""Around each request: its id, the limit of its size, and one line of the log."""

import json
import logging
import re
import secrets
from time import perf_counter
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from graft.serving.answers import Answer
from graft.serving.errors import ApiError

LOGGER = logging.getLogger("graft.requests")
ID_HEADER = "x-request-id"
PROBES = "/health/"
"""Supervisors ask these every second; they are not logged."""
_ID = re.compile(r"[\w.-]{1,64}")


class RequestLog:
    """ASGI middleware.

    Args:
        app: what answers.
        max_body_bytes: size of a body; a larger one is answered with status 413.
        log_texts: whether completions are logged.
    """

    def __init__(self, app: ASGIApp, *, max_body_bytes: int, log_texts: bool) -> None:
        self._app, self._max_bytes, self._log_texts = app, max_body_bytes, log_texts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {
            name.decode(): value.decode("latin-1") for name, value in scope["headers"]
        }
        given = headers.get(ID_HEADER, "")
        request_id = given if _ID.fullmatch(given) else secrets.token_hex(12)
        scope.setdefault("state", {})["request_id"] = request_id
        start, status, num_bytes, is_too_large = perf_counter(), 0, 0, False

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
                    (ID_HEADER.encode(), request_id.encode()),
                ]
            await send(message)

        try:
            length = headers.get("content-length", "0")
            is_too_large = length.isdigit() and int(length) > self._max_bytes
            if not is_too_large:
                await self._app(scope, limited, marked)
            if is_too_large:
                is_too_large = False
                await self._refuse(marked)
        finally:
            seconds = perf_counter() - start
            level = logging.DEBUG if scope["path"].startswith(PROBES) else logging.INFO
            LOGGER.log(
                level, json.dumps(self._line(scope, request_id, status, seconds))
            )

    async def _refuse(self, send: Send) -> None:
        error = ApiError(
            413,
            f"the body is larger than {self._max_bytes} bytes",
            code="request_too_large",
        )
        body = json.dumps(error.to_body()).encode()
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
        ]
        await send(
            {"type": "http.response.start", "status": error.status, "headers": headers}
        )
        await send({"type": "http.response.body", "body": body})

    def _line(
        self, scope: Scope, request_id: str, status: int, seconds: float
    ) -> dict[str, Any]:
        state = scope.get("state", {})
        line: dict[str, Any] = {
            "request": request_id,
            "method": scope["method"],
            "path": scope["path"],
            "status": status,
            "ms": round(1000 * seconds, 1),
            "client": state.get("client"),
        }
        answer: Answer | None = state.get("job")
        if answer is None:
            return line
        line |= {"version": answer.job.version.id, **answer.usage}
        line["finish"] = [choice.finish for choice in answer.choices]
        if answer.actions:
            line["guards"] = answer.actions
        if self._log_texts:
            line["texts"] = ["".join(choice.texts) for choice in answer.choices]
        return line
