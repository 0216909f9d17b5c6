"""Running a job for a client: whole or as a stream of events, and its end if the client
leaves or the deadline passes."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import aclosing
from dataclasses import dataclass
from time import time
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from graft.serving.admission import Admission
from graft.serving.answer_formats import AnswerFormat, to_chunk
from graft.serving.answers import Answer
from graft.serving.engine import EngineStoppedError, GrammarError, ServingEngine
from graft.serving.errors import ApiError
from graft.serving.guards.guard import Guards
from graft.serving.jobs import Job
from graft.serving.open_request import CLIENT_GONE, DEADLINE, OpenRequest
from graft.serving.response_format import too_complex

VERSION_HEADER = "x-graft-version"
GUARDS_HEADER = "x-graft-guards"
"""Of whole answers: the guards that acted, and how often. Streams have it in the last
chunk of each choice alone."""
UNREAD_S = 5.0
"""After the deadline: how long a client may take to read the rest of its stream."""


@dataclass(frozen=True)
class JobRunner:
    """Runs jobs in the engine, as far as they are admitted.

    Args:
        guards: of the texts of all answers.
    """

    engine: ServingEngine
    admission: Admission
    deadline_s: float
    guards: Guards = ()

    async def respond(
        self,
        request: Request,
        job: Job,
        answer_format: AnswerFormat,
        *,
        in_use: Counter[str],
        streams: bool,
        with_usage: bool = False,
    ) -> Response:
        """The response to a request.

        Args:
            in_use: counts the open requests of each version.
        Raises: ApiError if it is not admitted, or not done before the deadline.
        """
        release = self._admit(job, in_use)
        headers = {VERSION_HEADER: job.version.id}
        request.state.open.answer = answer = Answer(job, self.guards)
        if streams:
            chunks = self._stream(answer, answer_format, with_usage)
            return EventStream(chunks, release, headers, self.deadline_s + UNREAD_S)
        try:
            await until_gone(request, self._run(answer))
        except ClientGoneError:
            return Response(status_code=CLIENT_GONE)
        finally:
            release()
        if actions := answer.actions:
            headers[GUARDS_HEADER] = ", ".join(f"{n}={v}" for n, v in actions.items())
        return JSONResponse(answer_format.whole(answer, int(time())), headers=headers)

    async def run_unseen(
        self, request: OpenRequest, job: Job, in_use: Counter[str]
    ) -> None:
        """Complete a job that no client waits for.

        Raises: as `respond`.
        """
        release = self._admit(job, in_use)
        request.answer = Answer(job, self.guards)
        try:
            await self._run(request.answer)
        finally:
            release()

    def _admit(self, job: Job, in_use: Counter[str]) -> Callable[[], None]:
        """Count a job as open until the returned function is called."""
        give_back = self.admission.admit(job.num_reserved)
        in_use[job.version.id] += 1

        def release() -> None:
            give_back()
            in_use[job.version.id] -= 1

        return release

    async def _run(self, answer: Answer) -> None:
        try:
            async with asyncio.timeout(self.deadline_s):
                async with aclosing(self.engine.stream(answer.job.requests)) as events:
                    async for some in events:
                        answer.add(some)
                        if answer.is_done:  # also if a guard has ended it
                            break
        except TimeoutError as error:
            raise self._too_late() from error
        except EngineStoppedError as error:
            raise _stopped(error) from error

    async def _stream(
        self, answer: Answer, answer_format: AnswerFormat, with_usage: bool
    ) -> AsyncIterator[bytes]:
        created = int(time())

        def event(choices: Any, usage: Any = None) -> bytes:
            return to_event(
                to_chunk(answer, answer_format, created, choices, usage, with_usage)
            )

        end = asyncio.get_running_loop().time() + self.deadline_s
        try:
            if first := answer_format.first(answer):
                yield event(first)
            stream = self.engine.stream(answer.job.requests)
            async with aclosing(stream) as events:
                while (some := await _next(events, end)) is not None:
                    for delta in answer.add(some):
                        if delta.text or delta.logprobs or delta.finish:
                            yield event([answer_format.chunk(delta)])
                    if answer.is_done:
                        break
            if with_usage:
                yield event([], answer.usage)
            yield b"data: [DONE]\n\n"
        except TimeoutError:
            answer.error = self._too_late()
        except EngineStoppedError as error:
            answer.error = _stopped(error)
        if answer.error is not None:
            yield to_event(answer.error.to_body())

    def _too_late(self) -> ApiError:
        return ApiError(
            503,
            f"not done within the deadline of {self.deadline_s:g} s; ask for fewer "
            "tokens, or later",
            code=DEADLINE,
            retry_after_s=self.admission.wait_s(self.admission.num_tokens),
        )


async def _next(events: AsyncIterator[Any], end: float) -> Any:
    """The next events; None at the end. Raises: TimeoutError at the time `end`."""
    async with asyncio.timeout_at(end):
        return await anext(events, None)


def _stopped(error: EngineStoppedError) -> ApiError:
    if isinstance(error, GrammarError):
        return too_complex()
    return ApiError(
        500, "the engine ended; see the server's log", code="engine_stopped"
    )


def to_event(value: Any) -> bytes:
    """A server-sent event."""
    return b"data: " + json.dumps(value, ensure_ascii=False).encode() + b"\n\n"


class EventStream(StreamingResponse):
    """A stream that gives up its place in the end, also if it never began.

    Args:
        limit_s: after which it is cut off. The chunks observe the deadline only while
            they wait for tokens; a client that stops reading blocks in between.
    """

    def __init__(
        self,
        chunks: AsyncIterator[bytes],
        release: Callable[[], None],
        headers: dict[str, str],
        limit_s: float,
    ) -> None:
        headers = {**headers, "cache-control": "no-cache", "x-accel-buffering": "no"}
        super().__init__(chunks, headers=headers, media_type="text/event-stream")
        self._release, self._limit_s = release, limit_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with asyncio.timeout(self._limit_s):
                await super().__call__(scope, receive, send)
        except TimeoutError:
            pass  # without a last chunk, the server closes the connection
        finally:
            close: Callable[[], Coroutine[Any, Any, None]]
            close = getattr(self.body_iterator, "aclose")
            await asyncio.shield(close())
            self._release()


class ClientGoneError(Exception):
    """The client closed its connection before the answer."""


async def until_gone(request: Request, work: Coroutine[Any, Any, None]) -> None:
    """Do some work, or cancel it when the client closes the connection.

    Raises: ClientGoneError, or what the work raises.
    """
    task = asyncio.ensure_future(work)
    watcher = asyncio.ensure_future(_disconnected(request))
    try:
        await asyncio.wait({task, watcher}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise ClientGoneError
    finally:
        watcher.cancel()
        task.cancel()
        await asyncio.gather(watcher, task, return_exceptions=True)
    task.result()


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
