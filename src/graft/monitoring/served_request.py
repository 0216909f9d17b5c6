"""One request of the API after its end: what metrics, logs and analyses are made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from graft.monitoring.trace_context import TraceContext

Group = Literal["main", "canary", "shadow", "named"]
"""How a version was chosen: it answers by default, it is the canary, it answers a copy,
or the client named it. Only `main` and `canary` are drawn from the same traffic."""
Outcome = Literal[
    "completed", "client_error", "rejected", "deadline", "client_gone", "failed"
]


@dataclass(frozen=True)
class ServedRequest:
    """One request of the API, when it has ended.

    Args:
        id: as in the header `x-request-id`.
        time_ms: of its arrival, UTC, since 1970.
        route: path of the route, without values; `other` for unknown paths.
        status: of HTTP; 499 if the client left.
        outcome: `rejected` means 429 or 503 before any work.
        client: name of the API key; None without keys.
        version: `NAME/NUMBER`; None if no version was chosen.
        group: None if no version was chosen.
        num_prompt_tokens: of all prompts.
        num_completion_tokens: of all choices.
        finishes: OpenAI's finish_reason of each choice.
        duration_s: from arrival to the last byte.
        first_token_s: from arrival to the first token; None if there was none.
        guards: how often each guard acted.
        prompt_ids: token ids of the prompts as the model sees them, one after another.
        prompt: what the user wrote, as one text; None if no version was chosen.
        completions: texts of the choices, after the guards.
        method: of HTTP.
        error: the `code` of the error that was answered, if any.
        unit: by what the canary is drawn: the user, the key or the address; None if no
            version was chosen.
        trace: None if the request is not traced.
    """

    id: str
    time_ms: int
    route: str
    status: int
    outcome: Outcome
    client: str | None
    version: str | None
    group: Group | None
    num_prompt_tokens: int
    num_completion_tokens: int
    finishes: Sequence[str]
    duration_s: float
    first_token_s: float | None
    guards: Mapping[str, int]
    prompt_ids: Sequence[int]
    prompt: str | None
    completions: Sequence[str]
    method: str = "POST"
    error: str | None = None
    unit: str | None = None
    trace: TraceContext | None = None

    @property
    def s_per_token(self) -> float | None:
        """Mean seconds between two tokens of a request with one choice."""
        if self.first_token_s is None or len(self.finishes) != 1:
            return None
        if self.num_completion_tokens < 2:
            return None
        return (self.duration_s - self.first_token_s) / (self.num_completion_tokens - 1)


class RequestObserver(Protocol):
    """Is told of requests in the event loop of the API: it must not block."""

    def observe(self, request: ServedRequest) -> None:
        """A request has ended."""
