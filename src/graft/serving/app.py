"""The API: routes, and what happens around each request."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Depends, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from graft.serving import answers, errors, inputs, jobs
from graft.serving.admission import RateLimit
from graft.serving.keys import ApiKeys
from graft.serving.request_log import RequestLog
from graft.serving.responses import JobRunner
from graft.serving.schemas import ChatRequest, CompletionRequest, TaskRequest
from graft.serving.served_model import ServedVersion


@dataclass(frozen=True)
class Server:
    """All that the routes use.

    Args:
        version: what answers.
        length: most tokens of a prompt with its completion.
        max_body_bytes: size of a request.
        log_texts: whether prompts and completions are logged.
    """

    version: ServedVersion
    length: int
    runner: JobRunner
    keys: ApiKeys
    rates: RateLimit
    max_body_bytes: int
    log_texts: bool

    def resolve(self, model: str | None) -> ServedVersion:
        """The version of the field `model`: NAME or NAME/VERSION; None: the only one.

        Raises: ApiError 404 for another one.
        """
        if model not in (None, self.version.name, self.version.id):
            raise errors.ApiError(
                404,
                f"model: {model!r} is not served; GET /v1/models lists "
                f"{self.version.name} and {self.version.id}",
                param="model",
                code="model_not_found",
            )
        return self.version


def create_app(server: Server) -> FastAPI:
    """The API of a server. Its engine runs from start-up to shut-down."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        server.runner.engine.start()
        yield
        await server.runner.engine.stop()

    app = FastAPI(
        title=f"graft: {server.version.name}",
        version=server.version.version,
        lifespan=lifespan,
        docs_url="/docs",
        redoc_url=None,
    )

    async def identify(request: Request) -> None:
        """Check the API key, and the client's rate."""
        name = server.keys.name_of(request.headers.get("authorization"))
        request.state.client = name
        address = request.client.host if request.client else ""
        server.rates.check(name or address)

    app.include_router(_health(server))
    app.include_router(_models(server), dependencies=[Depends(identify)])
    app.include_router(_answers(server), dependencies=[Depends(identify)])
    app.add_middleware(
        RequestLog,
        max_body_bytes=server.max_body_bytes,
        log_texts=server.log_texts,
    )
    _add_error_handlers(app)
    return app


def _health(server: Server) -> APIRouter:
    router = APIRouter(prefix="/health", tags=["health"])
    engine, admission = server.runner.engine, server.runner.admission

    @router.get("/live")
    async def live() -> JSONResponse:
        """Whether the process works; otherwise it should be restarted."""
        failed = engine.failure is not None
        return JSONResponse({"live": not failed}, 503 if failed else 200)

    @router.get("/ready")
    async def ready() -> JSONResponse:
        """Whether new requests should be sent here."""
        is_ready = engine.failure is None and not admission.draining
        state = {
            "ready": is_ready,
            "version": server.version.id,
            "open_requests": admission.num_requests,
            "open_rows": engine.num_rows,
        }
        return JSONResponse(state, 200 if is_ready else 503)

    return router


def _models(server: Server) -> APIRouter:
    router = APIRouter(prefix="/v1", tags=["models"])

    def describe(name: str) -> dict[str, Any]:
        return {
            "id": name,
            "object": "model",
            "created": server.version.created_s,
            "owned_by": "graft",
        }

    @router.get("/models")
    async def list_models() -> dict[str, Any]:
        """The names that the field `model` may have."""
        names = [server.version.name, server.version.id]
        return {"object": "list", "data": [describe(name) for name in names]}

    @router.get("/models/{name:path}")
    async def show_model(name: str) -> dict[str, Any]:
        """One of these names."""
        server.resolve(name)
        return describe(name)

    return router


def _answers(server: Server) -> APIRouter:
    router = APIRouter(prefix="/v1", tags=["answers"])
    formats: dict[str, answers.AnswerFormat] = {
        "chat": answers.ChatFormat(),
        "text": answers.CompletionFormat(),
    }

    async def respond(
        request: Request,
        version: ServedVersion,
        body: jobs.Request,
        prompts: Sequence[Sequence[int]],
        kind: str,
    ) -> Any:
        prefix = "chatcmpl" if kind == "chat" else "cmpl"
        key = f"{prefix}-{request.state.request_id}"
        options = body.stream_options
        return await server.runner.respond(
            request,
            jobs.to_job(key, version, prompts, body, server.length),
            formats[kind],
            streams=bool(body.stream),
            with_usage=options is not None and options.include_usage,
        )

    @router.post("/chat/completions")
    async def chat(request: Request, body: ChatRequest) -> Any:
        """Answer a chat."""
        version = server.resolve(body.model)
        ids = inputs.chat_ids(version.template, body.messages)
        return await respond(request, version, body, [ids], "chat")

    @router.post("/completions")
    async def completions(request: Request, body: CompletionRequest) -> Any:
        """Answer prompts, each as the only turn of the user; a model of documents
        continues them."""
        version = server.resolve(body.model)
        prompts = [
            inputs.prompt_ids(
                version.template, prompt, opens_document=version.opens_documents
            )
            for prompt in body.prompts
        ]
        return await respond(request, version, body, prompts, "text")

    if inputs.prompt_fields(server.version.task):

        @router.post(f"/tasks/{server.version.task.name}")
        async def task(request: Request, body: TaskRequest) -> Any:
            """Answer a row of the task, given by its fields, as a text completion."""
            version = server.resolve(body.model)
            ids = inputs.task_ids(version.template, version.task, body.fields)
            return await respond(request, version, body, [ids], "text")

    return router


def _add_error_handlers(app: FastAPI) -> None:
    @app.exception_handler(errors.ApiError)
    async def refuse(_request: Request, error: errors.ApiError) -> JSONResponse:
        return JSONResponse(error.to_body(), error.status, dict(error.headers))

    @app.exception_handler(RequestValidationError)
    async def invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
        known = [*ChatRequest.model_fields, *CompletionRequest.model_fields]
        answer = errors.invalid(error.errors(), known)
        return JSONResponse(answer.to_body(), answer.status)

    @app.exception_handler(HTTPException)
    async def other(request: Request, error: HTTPException) -> JSONResponse:
        text = f"{request.method} {request.url.path}: {error.detail}"
        answer = errors.ApiError(error.status_code, text)
        headers = dict(error.headers or {})
        return JSONResponse(answer.to_body(), error.status_code, headers)
