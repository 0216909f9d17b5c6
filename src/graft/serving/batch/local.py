"""Requests of a batch, completed in this process."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from pydantic import ValidationError

from graft.config.guards import GuardConfig
from graft.inference.batching import ContinuousBatch
from graft.serving import inputs, jobs
from graft.serving.answer_formats import AnswerFormat, ChatFormat, CompletionFormat
from graft.serving.answers import Answer
from graft.serving.batch.requests import BatchRequest, Response, refusal
from graft.serving.engine_loader import LoadedModel
from graft.serving.errors import ApiError, invalid
from graft.serving.guards.checks import check_logprobs
from graft.serving.guards.configured import describe_guards, to_guards
from graft.serving.response_format import grammar_of, too_complex
from graft.serving.schemas import ChatRequest, CompletionRequest, TaskRequest

CHAT, TEXT, TASKS = "/v1/chat/completions", "/v1/completions", "/v1/tasks/"


class LocalModel:
    """A loaded version.

    Args:
        loaded: the version.
        weights: digest of its adapter.
        slots: completions that are generated at once.
        guards: of all texts.
    """

    def __init__(
        self,
        loaded: LoadedModel,
        weights: str,
        slots: int,
        guards: Sequence[GuardConfig] = (),
    ) -> None:
        self._loaded, self._weights, self._slots = loaded, weights, slots
        self._guards, self._described = to_guards(guards), describe_guards(guards)

    @property
    def identity(self) -> Mapping[str, str]:
        """Version, adapter, template, and what changes the rounding of numbers."""
        version, model = self._loaded.version, self._loaded.model
        return {
            "version": version.id,
            "adapter": self._weights,
            "template": version.template.hash,
            "decoding": str(asdict(version.decoding)),
            "serving.slots": str(self._slots),
            "serving.max_context_tokens": str(self._loaded.length),
            "serving.guards": self._described,
            "device": f"{model.device.type}, {model.dtype}",
        }

    def complete(
        self, requests: Sequence[BatchRequest], on_done: Callable[[], object]
    ) -> dict[int, Response]:
        """Complete requests together; always in the same way, so that a shard that is
        computed again is the same."""
        responses: dict[int, Response] = {}
        answers: dict[str, tuple[int, Answer, AnswerFormat]] = {}
        for request in requests:
            try:
                job = self._to_job(request)
            except ApiError as error:
                responses[request.number] = refusal(error)
                on_done()
            else:
                kind = _format_of(request.path)
                answers[job.id] = request.number, Answer(job, self._guards), kind
        rows = [row for _, answer, _ in answers.values() for row in answer.job.requests]
        # Of the same shape for all shards, since rounding may depend on it.
        batch = ContinuousBatch(self._loaded.model, self._slots, self._loaded.length)
        for row in sorted(rows, key=lambda row: -len(row.prompt)):
            batch.add(row)
        batch.close()
        for event in batch.events():
            assert isinstance(event.key, tuple)
            (job_id, _), _ = event.key  # as `to_job` makes them
            if job_id not in answers:
                continue  # another of its rows has failed
            number, answer, kind = answers[job_id]
            if event.finish == "failed":
                responses[number] = refusal(too_complex())
            else:
                answer.add([event])
                if not answer.is_done:
                    continue
                if event.finish is None:  # a guard has ended it
                    for row in answer.job.requests:
                        batch.cancel(row.key)
                body = kind.whole(answer, self._loaded.version.created_s)
                responses[number] = Response(200, body)
            del answers[job_id]
            on_done()
        return responses

    def _to_job(self, request: BatchRequest) -> jobs.Job:
        version, length = self._loaded.version, self._loaded.length
        body, prompts = self._to_prompts(request)
        check_logprobs(self._guards, body.num_likely)
        if body.seed is None:  # a random one would differ if the run is repeated
            body = body.model_copy(update={"seed": request.number})
        prefix = "chatcmpl" if request.path == CHAT else "cmpl"
        key, grammar = f"{prefix}-{request.number}", grammar_of(body)
        return jobs.to_job(key, version, prompts, body, length, grammar)

    def _to_prompts(
        self, request: BatchRequest
    ) -> tuple[jobs.Request, list[list[int]]]:
        """The body, and its prompts as token ids. Raises: ApiError."""
        version = self._loaded.version
        template = version.template
        body: jobs.Request
        if request.path == CHAT:
            chat = body = self._parse(ChatRequest, request.body)
            prompts = [inputs.chat_ids(template, chat.messages)]
        elif request.path == TEXT:
            text = body = self._parse(CompletionRequest, request.body)
            opens = version.opens_documents
            prompts = [
                inputs.prompt_ids(template, prompt, opens_document=opens)
                for prompt in text.prompts
            ]
        elif request.path == f"{TASKS}{version.task.name}":
            task = body = self._parse(TaskRequest, request.body)
            prompts = [inputs.task_ids(template, version.task, task.fields)]
        else:
            raise ApiError(404, f"url: {request.path!r} is none of {CHAT}, {TEXT}")
        if body.model not in (None, version.name, version.id):
            raise ApiError(
                404,
                f"model: {body.model!r} is not loaded; it is {version.name}, or "
                f"{version.id}",
                param="model",
                code="model_not_found",
            )
        return body, prompts

    @staticmethod
    def _parse(kind: Any, body: Mapping[str, Any]) -> Any:
        """A valid body. Raises: ApiError."""
        try:
            return kind.model_validate(body)
        except ValidationError as error:
            raise invalid(error.errors(), [*kind.model_fields]) from error


def _format_of(path: str) -> AnswerFormat:
    return ChatFormat() if path == CHAT else CompletionFormat()
