"""The schemas of answers, as the OpenAPI page shows them.

They describe what `answer_formats` and the routes write; nothing is converted through
them.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict


class Documented(BaseModel):
    """A JSON object with these keys and no others."""

    model_config = ConfigDict(extra="forbid")


class ErrorDetail(Documented):
    """OpenAI's error."""

    message: str
    type: str
    param: str | None
    code: str | None


class ErrorBody(Documented):
    """The body of every answer that is an error."""

    error: ErrorDetail


class Usage(Documented):
    """Numbers of tokens."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class LikelyToken(Documented):
    """A token with its log-probability in nats, and its bytes if these are whole
    characters."""

    token: str
    logprob: float
    bytes: list[int] | None


class ChosenToken(LikelyToken):
    """A token of the answer, and the most likely ones at its place."""

    top_logprobs: list[LikelyToken]


class ChatLogprobs(Documented):
    """Log-probabilities of a chat's answer."""

    content: list[ChosenToken]
    refusal: None


class ChatTurn(Documented):
    """The turn that was generated."""

    role: Literal["assistant"]
    content: str
    refusal: None


Finish = Literal["stop", "length", "content_filter"]


class ChatChoice(Documented):
    """One completion of a chat."""

    index: int
    message: ChatTurn
    logprobs: ChatLogprobs | None
    finish_reason: Finish
    guards: dict[str, int] = {}


class AnswerHead(Documented):
    """What answers of both endpoints begin with."""

    id: str
    created: int
    model: str
    system_fingerprint: str
    usage: Usage


class ChatAnswer(AnswerHead):
    """The answer of POST /v1/chat/completions."""

    object: Literal["chat.completion"]
    choices: list[ChatChoice]


class TextLogprobs(Documented):
    """Log-probabilities of a text completion."""

    tokens: list[str]
    token_logprobs: list[float]
    top_logprobs: list[dict[str, float]]
    text_offset: list[int]


class TextChoice(Documented):
    """One text completion."""

    index: int
    text: str
    logprobs: TextLogprobs | None
    finish_reason: Finish
    guards: dict[str, int] = {}


class TextAnswer(AnswerHead):
    """The answer of POST /v1/completions and /v1/tasks/TASK."""

    object: Literal["text_completion"]
    choices: list[TextChoice]


class Model(Documented):
    """A value of the field `model`."""

    id: str
    object: Literal["model"]
    created: int
    owned_by: str


class Models(Documented):
    """All values of the field `model`."""

    object: Literal["list"]
    data: list[Model]


class VersionsReport(Documented):
    """The versions of the server."""

    model: str
    aliases: dict[str, str]
    loaded: list[str]
    in_use: dict[str, int]
    refused: dict[str, str]


class FeedbackAnswer(Documented):
    """Feedback that is stored; `version` is null if the answer is too old to know."""

    object: Literal["feedback"]
    request: str
    version: str | None
    verdict: Literal["good", "bad"]


class Live(Documented):
    """Whether the process works."""

    live: bool


class Ready(Documented):
    """Whether new requests should be sent."""

    ready: bool
    version: str | None
    open_requests: int
    open_rows: int


ERRORS: dict[int | str, dict[str, Any]] = {
    "4XX": {"model": ErrorBody, "description": "A request that is refused"},
    "5XX": {"model": ErrorBody, "description": "Not now, or an error of the server"},
}
"""Error responses of all routes but those of health."""

EVENT = {
    "type": "object",
    "description": "a server-sent event: a chunk as JSON, or [DONE] at the end",
    "properties": {"data": {"type": "string"}},
    "required": ["data"],
}
"""The schema of an event of a stream."""


def answered(model: type[Documented]) -> dict[int | str, dict[str, Any]]:
    """Responses of a route that answers whole, or as a stream."""
    stream = {"text/event-stream": {"schema": EVENT}}
    return {200: {"model": model, "description": "An answer", "content": stream}}


def probed(model: type[Documented]) -> dict[int | str, dict[str, Any]]:
    """Responses of a route of health: 503 is no."""
    return {
        200: {"model": model, "description": "Yes"},
        503: {"model": model, "description": "No"},
    }
