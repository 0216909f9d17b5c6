"""The routes of `graft watch`: metrics, and the receiver of alerts."""

import asyncio
import hmac
import logging
from collections.abc import Callable
from pathlib import Path

from fastapi import FastAPI
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from graft.errors import ConfigError
from graft.monitoring.watch.alerts import Alert, AlertGroup
from graft.monitoring.watch.values import MetricValues

LOGGER = logging.getLogger("graft.watch")
MAX_BODY_BYTES = 2_000_000
METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def create_app(
    values: MetricValues, handle: Callable[[Alert], str], token_file: Path | None
) -> FastAPI:
    """The routes.

    Args:
        handle: acts on one alert and returns the outcome; it may block.
        token_file: of the secret that the header `Authorization: Bearer` must have;
            None: alerts are refused.
    Raises: ConfigError if the file cannot be used.
    """
    if token_file is not None:
        read_token(token_file)
    app = FastAPI(title="graft watch", docs_url=None, redoc_url=None, openapi_url=None)

    @app.get("/metrics")
    def metrics() -> Response:
        return Response(values.to_text(), media_type=METRICS_TYPE)

    @app.get("/health")
    def health() -> dict[str, bool]:
        return {"ready": True}

    @app.post("/alerts")
    async def alerts(request: Request) -> JSONResponse:
        if token_file is None:
            return _error(
                403, "alerts are refused: monitoring.watch.token_file is null"
            )
        if not is_authorized(request.headers.get("authorization"), token_file):
            return _error(401, "send the header Authorization: Bearer SECRET")
        body = bytearray()
        async for part in request.stream():
            body += part
            if len(body) > MAX_BODY_BYTES:
                return _error(413, f"the body is larger than {MAX_BODY_BYTES} bytes")
        try:
            group = AlertGroup.model_validate_json(bytes(body))
        except ValidationError as error:
            LOGGER.warning("not a document of Alertmanager: %s", error)
            return _error(422, f"not a document of Alertmanager, version 4: {error}")
        outcomes = [await asyncio.to_thread(handle, one) for one in group.alerts]
        # Alertmanager sends again what was answered with 5xx.
        status = 503 if "failed" in outcomes else 200
        return JSONResponse({"outcomes": outcomes}, status)

    return app


def is_authorized(header: str | None, token_file: Path) -> bool:
    """Whether a header has the secret of the file, which is read each time: it can be
    changed without a restart."""
    scheme, _, given = (header or "").partition(" ")
    expected = read_token(token_file)
    is_equal = hmac.compare_digest(given.strip().encode(), expected.encode())
    return scheme.lower() == "bearer" and is_equal


def read_token(path: Path) -> str:
    """The secret in a file. Raises: ConfigError if there is none."""
    try:
        token = path.read_text("utf-8").strip()
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"monitoring.watch.token_file={path}",
            f"cannot be read: {error}",
            expected="a file with the secret that Alertmanager sends",
            fix=f"openssl rand -hex 32 > {path}",
        ) from error
    if not token:
        raise ConfigError(
            f"monitoring.watch.token_file={path}",
            "is empty",
            expected="a secret",
            fix=f"openssl rand -hex 32 > {path}",
        )
    return token


def _error(status: int, text: str) -> JSONResponse:
    return JSONResponse({"error": text}, status)
