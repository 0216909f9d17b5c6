"""Routes that answer with completions."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request

from graft.serving import answer_formats, inputs, jobs
from graft.serving.documented import ERRORS, ChatAnswer, TextAnswer, answered
from graft.serving.errors import ApiError
from graft.serving.guards.checks import check_logprobs
from graft.serving.open_request import OpenRequest, tell
from graft.serving.response_format import grammar_of
from graft.serving.schemas import ChatRequest, CompletionRequest, TaskRequest
from graft.serving.served_model import ServedVersion
from graft.serving.state import Server
from graft.serving.versions import Choice

LOGGER = logging.getLogger("graft.shadow")


def answer_routes(server: Server) -> APIRouter:
    """Chats, prompts, and rows of the task."""
    router = APIRouter(prefix="/v1", tags=["answers"], responses=ERRORS)
    responder = Responder(server)

    @router.post("/chat/completions", responses=answered(ChatAnswer))
    async def chat(request: Request, body: ChatRequest) -> Any:
        """Answer a chat."""
        turns = [turn.text for turn in body.messages if turn.role == "user"]
        choice = responder.choose(request, body, turns)
        ids = inputs.chat_ids(choice.version.template, body.messages)
        return await responder.respond(request, choice, body, [ids])

    @router.post("/completions", responses=answered(TextAnswer))
    async def completions(request: Request, body: CompletionRequest) -> Any:
        """Answer prompts, each as the only turn of the user; a model of documents
        continues them."""
        texts = [prompt for prompt in body.prompts if isinstance(prompt, str)]
        choice = responder.choose(request, body, texts)
        prompts = [to_ids(choice.version, prompt) for prompt in body.prompts]
        return await responder.respond(request, choice, body, prompts)

    def to_ids(version: ServedVersion, prompt: str | list[int]) -> list[int]:
        opens = version.opens_documents
        return inputs.prompt_ids(version.template, prompt, opens_document=opens)

    if inputs.prompt_fields(server.task):

        @router.post(f"/tasks/{server.task.name}", responses=answered(TextAnswer))
        async def task(request: Request, body: TaskRequest) -> Any:
            """Answer a row of the task, given by its fields, as a text completion."""
            choice = responder.choose(request, body, list(body.fields.values()))
            ids = inputs.task_ids(choice.version.template, server.task, body.fields)
            return await responder.respond(request, choice, body, [ids])

    return router


class Responder:
    """Runs requests by the version that was chosen for each."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._shadows: set[asyncio.Task[None]] = set()

    def choose(
        self, request: Request, body: jobs.Request, texts: Sequence[str]
    ) -> Choice:
        """The version for a request, by its user, key or address.

        Args:
            texts: what the user wrote.
        """
        record: OpenRequest = request.state.open
        address = request.client.host if request.client else ""
        unit = body.user or record.client or address
        record.choice = self._server.versions.choose(body.model, unit)
        record.unit = unit
        record.prompt = "\n".join(texts)
        return record.choice

    async def respond(
        self,
        request: Request,
        choice: Choice,
        body: jobs.Request,
        prompts: Sequence[Sequence[int]],
    ) -> Any:
        """The response."""
        check_logprobs(self._server.runner.guards, body.num_likely)
        is_chat = isinstance(body, ChatRequest)
        record: OpenRequest = request.state.open
        record.prompts = prompts
        key = f"{'chatcmpl' if is_chat else 'cmpl'}-{record.id}"
        grammar = None
        if body.response_format is not None:
            grammar = await asyncio.to_thread(grammar_of, body)
        length = self._server.length
        job = jobs.to_job(key, choice.version, prompts, body, length, grammar)
        answer_format: answer_formats.AnswerFormat
        answer_format = answer_formats.CompletionFormat()
        if is_chat:
            answer_format = answer_formats.ChatFormat()
        if choice.shadow is not None:
            shadow = jobs.to_job(
                f"shadow-{key}", choice.shadow, prompts, body, length, grammar
            )
            copy = record.to_shadow(choice.shadow)
            route: str = request.scope["route"].path
            task = asyncio.create_task(self._run_shadow(copy, route, shadow))
            self._shadows.add(task)
            task.add_done_callback(self._shadows.discard)
        options = body.stream_options
        return await self._server.runner.respond(
            request,
            job,
            answer_format,
            in_use=self._server.versions.in_use,
            streams=bool(body.stream),
            with_usage=options is not None and options.include_usage,
        )

    async def _run_shadow(self, record: OpenRequest, route: str, job: jobs.Job) -> None:
        """Answer a copy of a request for the observers, if there is room for it."""
        status = 200
        try:
            in_use = self._server.versions.in_use
            await self._server.runner.run_unseen(record, job, in_use)
        except ApiError as error:
            record.error, status = error, error.status
        except Exception:  # pylint: disable=broad-exception-caught
            record.failed, status = True, 500  # must not disturb what it follows
            LOGGER.exception("the shadow of request %s failed", record.id)
        tell(self._server.observers, record.to_served("POST", route, status))
