"""Routes that answer nothing but questions about the server."""

from typing import Any

from fastapi import APIRouter
from starlette.responses import JSONResponse

from graft.serving.documented import (
    ERRORS,
    Live,
    Model,
    Models,
    Ready,
    VersionsReport,
    probed,
)
from graft.serving.errors import ApiError
from graft.serving.state import Server


def health(server: Server) -> APIRouter:
    """For a supervisor."""
    router = APIRouter(prefix="/health", tags=["health"])
    engine, admission = server.runner.engine, server.runner.admission

    @router.get("/live", responses=probed(Live))
    async def live() -> JSONResponse:
        """Whether the process works; otherwise it should be restarted."""
        failed = engine.failure is not None
        return JSONResponse({"live": not failed}, 503 if failed else 200)

    @router.get("/ready", responses=probed(Ready))
    async def ready() -> JSONResponse:
        """Whether new requests should be sent here."""
        version = None
        try:
            version = server.versions.main.id
        except ApiError:  # it is being loaded
            pass
        is_ready = bool(version and engine.failure is None and not admission.draining)
        state = {
            "ready": is_ready,
            "version": version,
            "open_requests": admission.num_requests,
            "open_rows": engine.num_rows,
        }
        return JSONResponse(state, 200 if is_ready else 503)

    return router


def models(server: Server) -> APIRouter:
    """The names that the field `model` may have."""
    router = APIRouter(prefix="/v1", tags=["models"], responses=ERRORS)

    def describe(name: str) -> dict[str, Any]:
        created = server.versions.choose(name, "").version.created_s
        return {"id": name, "object": "model", "created": created, "owned_by": "graft"}

    @router.get("/models", responses={200: {"model": Models}})
    async def list_models() -> dict[str, Any]:
        """The names that the field `model` may have."""
        names = server.versions.names
        return {"object": "list", "data": [describe(name) for name in names]}

    @router.get("/models/{name:path}", responses={200: {"model": Model}})
    async def show_model(name: str) -> dict[str, Any]:
        """One of these names."""
        return describe(name)

    return router


def admin(server: Server) -> APIRouter:
    """For operators."""
    router = APIRouter(prefix="/admin", tags=["admin"], responses=ERRORS)

    @router.get("/versions", responses={200: {"model": VersionsReport}})
    async def versions() -> dict[str, Any]:
        """Loaded versions, aliases, and versions that were refused, with the reason."""
        return server.versions.to_report()

    return router
