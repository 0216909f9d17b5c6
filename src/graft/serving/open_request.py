"""A request while it is answered, and the record that is left of it."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from time import perf_counter, time

from graft.monitoring.served_request import Outcome, RequestObserver, ServedRequest
from graft.monitoring.trace_context import TraceContext
from graft.serving.answers import Answer
from graft.serving.errors import ApiError
from graft.serving.served_model import ServedVersion
from graft.serving.versions import Choice

LOGGER = logging.getLogger(__name__)
CLIENT_GONE = 499
"""Status, in records alone, of a request whose client left (a convention of nginx)."""
DEADLINE = "deadline_exceeded"
_BUSY = (429, 503)


@dataclass
class OpenRequest:
    """What is known of a request so far; `request.state.open` of each request.

    Attributes:
        client: name of the API key.
        unit: by what the version is chosen: user, key or address.
        choice: of its version, when it is chosen.
        prompt: what the user wrote, as one text.
        prompts: token ids of each prompt.
        answer: when it is admitted.
        error: what it is answered with instead.
        failed: whether an error of the server itself ended it.
        started: as `perf_counter` counts.
    """

    id: str
    trace: TraceContext | None = None
    client: str | None = None
    unit: str | None = None
    choice: Choice | None = None
    prompt: str | None = None
    prompts: Sequence[Sequence[int]] = ()
    answer: Answer | None = None
    error: ApiError | None = None
    failed: bool = False
    time_ms: int = field(default_factory=lambda: round(time() * 1000))
    started: float = field(default_factory=perf_counter)

    def to_shadow(self, version: ServedVersion) -> "OpenRequest":
        """A copy of this request for another version; it is no part of the trace."""
        return replace(
            self,
            choice=Choice(version, "shadow"),
            answer=None,
            trace=None,
            started=perf_counter(),
        )

    def to_served(self, method: str, route: str, status: int) -> ServedRequest:
        """The record of this request, which ends now.

        Args:
            method, route: of HTTP.
            status: that was sent; 0: none.
        """
        now, answer = perf_counter(), self.answer
        error = self.error or (answer.error if answer else None)
        outcome = self._outcome(error.status if error else status)
        status = {"client_gone": CLIENT_GONE}.get(outcome, status or 500)
        first = answer.first_token_at if answer else None
        choices = answer.choices if answer else ()
        return ServedRequest(
            id=self.id,
            time_ms=self.time_ms,
            route=route,
            status=status,
            outcome=outcome,
            client=self.client,
            version=self.choice.version.id if self.choice else None,
            group=self.choice.group if self.choice else None,
            num_prompt_tokens=sum(map(len, self.prompts)),
            num_completion_tokens=sum(choice.num_tokens for choice in choices),
            finishes=[choice.finish for choice in choices if choice.finish],
            duration_s=now - self.started,
            first_token_s=None if first is None else first - self.started,
            guards=answer.actions if answer else {},
            prompt_ids=list(chain.from_iterable(self.prompts)),
            prompt=self.prompt,
            completions=["".join(choice.texts) for choice in choices],
            method=method,
            error=error.code if error else None,
            unit=self.unit,
            trace=self.trace,
        )

    def _outcome(self, status: int) -> Outcome:
        answer = self.answer
        error = self.error or (answer.error if answer else None)
        if error is not None and error.code == DEADLINE:
            return "deadline"
        if answer is None and status in _BUSY:
            return "rejected"
        if 400 <= status < 500 and status != CLIENT_GONE:
            return "client_error"
        if self.failed or status >= 500:
            return "failed"
        if status in (0, CLIENT_GONE) or answer is not None and not answer.is_done:
            return "client_gone"
        return "completed"


def tell(observers: Sequence[RequestObserver], request: ServedRequest) -> None:
    """Show a record to all observers; an error of one is logged, and hurts nobody."""
    for observer in observers:
        try:
            observer.observe(request)
        except Exception:  # pylint: disable=broad-exception-caught
            LOGGER.exception("%s failed", type(observer).__name__)
