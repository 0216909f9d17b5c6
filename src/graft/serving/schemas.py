"""Bodies of requests, as OpenAI's clients send them.

Source: OpenAI's API reference, endpoints chat/completions and completions. A field that
this server does not support is listed with the values that change nothing; any other
value, and any other field, is an error that names the field.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

MOST_STOPS = 4
MOST_LIKELY = 20
MOST_COMPLETIONS = 16


def _to_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else [] if value is None else value


Stops = Annotated[
    list[Annotated[str, Field(min_length=1)]],
    Field(max_length=MOST_STOPS),
    BeforeValidator(_to_list),
]
Limit = Annotated[int, Field(ge=1)] | None


def _only_bool(value: Any) -> Any:
    if not isinstance(value, bool):
        raise ValueError("Input should be false")
    return value


# Literal[0] would accept False, Literal[1] True, and Literal[False] 0: they are equal.
No = Annotated[Literal[False], BeforeValidator(_only_bool)]
Zero = Annotated[float, Field(ge=0, le=0)]
One = Annotated[int, Field(ge=1, le=1)]


class Body(BaseModel):
    """A JSON object without unknown fields, and without conversions of types."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class StreamOptions(Body):
    """What a stream contains in addition."""

    include_usage: bool = False
    include_obfuscation: No | None = None


class JsonSchema(Body):
    """A JSON schema. It is always enforced, whatever `strict` is."""

    name: Annotated[str, Field(pattern=r"^[\w-]{1,64}$")]
    description: str | None = None
    json_schema: dict[str, Any] = Field(alias="schema")
    strict: bool | None = None


class ResponseFormat(Body):
    """The form of answers: any text, any JSON object, or JSON of a schema."""

    type: Literal["text", "json_object", "json_schema"]
    json_schema: JsonSchema | None = None

    @model_validator(mode="after")
    def _check_schema(self) -> "ResponseFormat":
        if (self.type == "json_schema") != (self.json_schema is not None):
            raise ValueError("json_schema: with type json_schema, and only with it")
        return self


class SamplingFields(Body):
    """Fields that both endpoints share.

    A field that is not given, or null, has the value of the evaluation (temperature,
    most tokens), or changes nothing.
    """

    model: str
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    top_k: Annotated[int, Field(ge=0)] | None = None
    min_p: Annotated[float, Field(ge=0, le=1)] | None = None
    seed: Annotated[int, Field(ge=-(2**63), lt=2**63)] | None = None
    n: Annotated[int, Field(ge=1, le=MOST_COMPLETIONS)] | None = None
    stop: Stops = Field(default_factory=list)
    max_tokens: Limit = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    response_format: ResponseFormat | None = None
    user: str | None = None
    # Not supported: only values that change nothing.
    frequency_penalty: Zero | None = None
    presence_penalty: Zero | None = None
    logit_bias: Annotated[dict[str, float], Field(max_length=0)] | None = None

    @model_validator(mode="after")
    def _check_stream(self) -> "SamplingFields":
        if self.stream_options is not None and not self.stream:
            raise ValueError("stream_options: only with stream: true")
        return self


class TextPart(Body):
    """A part of a message's content."""

    type: Literal["text"]
    text: str


class ChatMessage(Body):
    """A turn of a chat."""

    role: Literal["system", "developer", "user", "assistant"]
    content: str | Annotated[list[TextPart], Field(min_length=1)]
    name: None = None

    @property
    def text(self) -> str:
        """The content as one text."""
        if isinstance(self.content, str):
            return self.content
        return "".join(part.text for part in self.content)


class ChatRequest(SamplingFields):
    """The body of POST /v1/chat/completions."""

    messages: Annotated[list[ChatMessage], Field(min_length=1)]
    max_completion_tokens: Limit = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Field(ge=0, le=MOST_LIKELY)] | None = None
    tools: Annotated[list[Any], Field(max_length=0)] | None = None
    tool_choice: Literal["none"] | None = None
    parallel_tool_calls: None = None
    modalities: Annotated[list[Literal["text"]], Field(max_length=1)] | None = None
    service_tier: Literal["auto", "default"] | None = None
    store: No | None = None

    @model_validator(mode="after")
    def _check_pairs(self) -> "ChatRequest":
        if self.top_logprobs is not None and not self.logprobs:
            raise ValueError("top_logprobs: only with logprobs: true")
        limits = {self.max_tokens, self.max_completion_tokens} - {None}
        if len(limits) > 1:
            raise ValueError(
                "max_tokens: differs from max_completion_tokens, its new name"
            )
        return self

    @property
    def limit(self) -> int | None:
        """Most tokens of a completion, if given."""
        return self.max_completion_tokens or self.max_tokens

    @property
    def num_likely(self) -> int | None:
        """Most likely tokens to report at each place; None: no log-probabilities."""
        return (self.top_logprobs or 0) if self.logprobs else None


class CompletionRequest(SamplingFields):
    """The body of POST /v1/completions. A prompt is a text, or the ids of tokens."""

    prompt: (
        str | Annotated[list[str], Field(min_length=1)] | list[int] | list[list[int]]
    )
    logprobs: Annotated[int, Field(ge=0, le=MOST_LIKELY)] | None = None
    best_of: One | None = None
    echo: No | None = None
    suffix: Literal[""] | None = None

    @property
    def prompts(self) -> list[str | list[int]]:
        """Each prompt."""
        if isinstance(self.prompt, str):
            return [self.prompt]
        ids = [one for one in self.prompt if isinstance(one, int)]
        several = [one for one in self.prompt if not isinstance(one, int)]
        return [*several] or [ids]

    @property
    def limit(self) -> int | None:
        """Most tokens of a completion, if given."""
        return self.max_tokens

    @property
    def num_likely(self) -> int | None:
        """Most likely tokens to report at each place; None: no log-probabilities."""
        return self.logprobs


class FeedbackRequest(Body):
    """The body of POST /v1/feedback.

    Args:
        request: `id` of an answer, or its header `x-request-id`.
        correction: a better answer.
    """

    request: Annotated[str, Field(pattern=r"^[\w.-]{1,80}$")]
    verdict: Literal["good", "bad"]
    correction: Annotated[str, Field(min_length=1)] | None = None
    comment: Annotated[str, Field(max_length=4096)] | None = None


class TaskRequest(SamplingFields):
    """The body of POST /v1/tasks/TASK: the fields of one row of the task."""

    # By default what is served.
    model: str | None = None  # type: ignore[assignment]
    fields: dict[str, str]

    @property
    def limit(self) -> int | None:
        """Most tokens of a completion, if given."""
        return self.max_tokens

    @property
    def num_likely(self) -> None:
        """No log-probabilities."""
