"""Rows of a file → requests of the API, and its responses → rows of the result."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from graft.records import Reject, Row
from graft.serving.errors import ApiError


@dataclass(frozen=True)
class BatchRequest:
    """A request of the API.

    Args:
        number: of the row, from 0.
        path: such as /v1/completions.
        body: JSON object.
    """

    number: int
    path: str
    body: Mapping[str, Any]


@dataclass(frozen=True)
class Response:
    """What the API answers.

    Args:
        status: of HTTP; 0: the row was no request.
        body: a completion, or an error, in OpenAI's schema.
        request_id: of the server; None: the row's own.
    """

    status: int
    body: Mapping[str, Any]
    request_id: str | None = None

    @property
    def error(self) -> str | None:
        """Why there is no completion; None: there is one."""
        if self.status == 200:
            return None
        found = self.body.get("error")
        text = found.get("message") if isinstance(found, Mapping) else found
        return str(text or f"status {self.status}")


def refusal(error: ApiError, status: int | None = None) -> Response:
    """The response to a request that is refused."""
    return Response(error.status if status is None else status, error.to_body())


class Layout(Protocol):
    """How requests stand in the rows of a file, and their results."""

    @property
    def columns(self) -> Sequence[str] | None:
        """Columns that requests are made of; None: all."""

    def to_request(self, row: Row, number: int) -> BatchRequest:
        """The request of a row. Raises: ApiError if it has none."""

    def to_result(
        self, row: Row | Reject, number: int, response: Response
    ) -> dict[str, Any]:
        """The result of a row, as JSON."""

    def error_of(self, result: Mapping[str, Any]) -> str | None:
        """Why a result has no completion; None: it has one."""


class Completer(Protocol):
    """What answers requests."""

    @property
    def identity(self) -> Mapping[str, str]:
        """All that responses depend on besides the requests, by name."""

    def complete(
        self, requests: Sequence[BatchRequest], on_done: Callable[[], object]
    ) -> dict[int, Response]:
        """The response to each request, by the number of its row.

        Args:
            on_done: called after each.
        """
