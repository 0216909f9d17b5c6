"""The API: its routes, and what happens around each request."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fastapi import Depends, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from graft.serving import errors, routes
from graft.serving.answer_routes import answer_routes
from graft.serving.feedback_routes import feedback_routes
from graft.serving.middleware import RequestMiddleware
from graft.serving.schemas import (
    ChatRequest,
    CompletionRequest,
    FeedbackRequest,
    TaskRequest,
)
from graft.serving.state import Server

LOGGER = logging.getLogger(__name__)


def create_app(server: Server, on_failure: Callable[[BaseException], None]) -> FastAPI:
    """The API of a server. Its engine runs from start-up to shut-down.

    Args:
        on_failure: called if no version could be loaded, or the engine ended.
    """

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        server.runner.engine.start(on_failure)
        following = asyncio.create_task(_follow(server, on_failure))
        yield
        following.cancel()
        await server.runner.engine.stop()

    app = FastAPI(
        title=f"graft: {server.versions.name}",
        version="1",
        lifespan=lifespan,
        redoc_url=None,
    )

    async def identify(request: Request) -> None:
        """Check the API key, and the client's rate."""
        name = server.keys.name_of(request.headers.get("authorization"))
        request.state.open.client = name
        address = request.client.host if request.client else ""
        server.rates.check(name or address)

    keyed = [Depends(identify)]
    app.include_router(routes.health(server))
    app.include_router(routes.models(server), dependencies=keyed)
    app.include_router(routes.admin(server), dependencies=keyed)
    app.include_router(answer_routes(server), dependencies=keyed)
    if server.feedback is not None:
        app.include_router(feedback_routes(server.feedback), dependencies=keyed)
    app.add_middleware(
        RequestMiddleware,
        max_body_bytes=server.max_body_bytes,
        starts_traces=server.starts_traces,
        observers=server.observers,
    )
    _add_error_handlers(app)
    return app


async def _follow(server: Server, on_failure: Callable[[BaseException], None]) -> None:
    """Load the version that answers, then follow the aliases."""
    is_first = True
    while True:
        try:
            await server.versions.refresh()
        except Exception as error:  # pylint: disable=broad-exception-caught
            if is_first:
                on_failure(error)
                return
            LOGGER.warning("the registry: %s", error)  # what is loaded goes on
        is_first = False
        await asyncio.sleep(server.poll_s)


def _add_error_handlers(app: FastAPI) -> None:
    @app.exception_handler(errors.ApiError)
    async def refuse(request: Request, error: errors.ApiError) -> JSONResponse:
        return to_response(request, error)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        known: set[str] = set()
        for body in (ChatRequest, CompletionRequest, TaskRequest, FeedbackRequest):
            known |= set(body.model_fields)
        return to_response(request, errors.invalid(error.errors(), sorted(known)))

    @app.exception_handler(HTTPException)
    async def other(request: Request, error: HTTPException) -> JSONResponse:
        text = f"{request.method} {request.url.path}: {error.detail}"
        answer = errors.ApiError(error.status_code, text)
        answer.headers = dict(error.headers or {})
        return to_response(request, answer)

    def to_response(request: Request, error: errors.ApiError) -> JSONResponse:
        request.state.open.error = error
        return JSONResponse(error.to_body(), error.status, dict(error.headers))
