"""JSON over HTTP, without keeping the connection."""

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from time import time
from typing import Any


class NoAnswerError(Exception):
    """The connection failed, or what came is no JSON object."""


@dataclass(frozen=True)
class Reply:
    """What a server replies.

    Args:
        status: of HTTP.
        body: JSON object.
        request_id: the header x-request-id.
        retry_after_s: the header Retry-After, in seconds.
    """

    status: int
    body: Mapping[str, Any]
    request_id: str | None = None
    retry_after_s: float | None = None


def send(
    url: str, body: Mapping[str, Any] | None, key: str | None, timeout_s: float
) -> Reply:
    """Send a request: POST with a body, else GET.

    Args:
        key: sent as `Authorization: Bearer KEY`.
        timeout_s: without a byte from the server.
    Raises: NoAnswerError.
    """
    headers = {"Content-Type": "application/json", "User-Agent": "graft"}
    if key:
        headers["Authorization"] = f"Bearer {key}"
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, headers)
    try:
        try:
            reply = urllib.request.urlopen(request, timeout=timeout_s)
        except urllib.error.HTTPError as error:
            reply = error
        with reply:
            content = reply.read()
    except (OSError, HTTPException) as error:  # a URLError is an OSError
        raise NoAnswerError(str(getattr(error, "reason", error)) or "closed") from error
    return Reply(
        reply.status,
        _to_object(content, reply.status),
        reply.headers.get("x-request-id"),
        to_seconds(reply.headers.get("retry-after")),
    )


def _to_object(content: bytes, status: int) -> Mapping[str, Any]:
    """The JSON object of a reply; for an error of a proxy, its text."""
    try:
        found = json.loads(content)
    except ValueError:
        found = None
    if isinstance(found, dict):
        return found
    if status < 400:
        raise NoAnswerError(f"status {status}, and no JSON object")
    text = " ".join(content.decode("utf-8", "replace").split())[:200]
    return {"error": {"message": f"status {status}: {text}"}}


def to_seconds(retry_after: str | None) -> float | None:
    """Seconds of a header Retry-After, which may be a date; None if there is none."""
    if retry_after is None:
        return None
    if retry_after.strip().isdigit():
        return float(retry_after)
    try:
        return max(0.0, parsedate_to_datetime(retry_after).timestamp() - time())
    except ValueError:
        return None
