"""The route by which users rate and correct answers."""

import asyncio
import logging
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request

from graft.errors import GraftError
from graft.serving.documented import ERRORS, FeedbackAnswer
from graft.serving.errors import ApiError
from graft.serving.feedback_store import FeedbackStore
from graft.serving.schemas import FeedbackRequest

LOGGER = logging.getLogger(__name__)


def feedback_routes(store: FeedbackStore) -> APIRouter:
    """For users of answers."""
    router = APIRouter(prefix="/v1", tags=["feedback"], responses=ERRORS)

    @router.post("/feedback", responses={200: {"model": FeedbackAnswer}})
    async def feedback(request: Request, body: FeedbackRequest) -> Any:
        """Rate, and perhaps correct, the answer to a request. A later rating of the
        same answer replaces an earlier one."""
        rated = store.to_rated(body, request.state.open.client)
        try:
            await asyncio.to_thread(store.add, rated)
        except GraftError as error:
            LOGGER.warning("feedback: %s", error)
            raise ApiError(
                503, "feedback cannot be stored now", code="feedback_not_stored"
            ) from error
        store.count(rated)
        return {
            "object": "feedback",
            "request": rated.request,
            "version": rated.version,
            "verdict": rated.verdict,
        }

    return router
